-- The school map: a picture anyone can read.

CREATE FUNCTION @extschema@.school_map_svg(
    labels text[],
    levels float8[],
    slopes float8[],
    needs float8[],
    title text DEFAULT 'Who is low, who is falling?'
) RETURNS text
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'school_map_svg_wrapper';

COMMENT ON FUNCTION @extschema@.school_map_svg IS
'A school as an SVG picture: one dot a student, current level across, change in 30 days up and down, darkest where low and falling, those most in need by name. The arrays belong together element by element; NULL says that a figure is unknown.';
