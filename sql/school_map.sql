-- The school map: a picture anyone can read.

CREATE FUNCTION @extschema@.school_map_svg(
    labels text[],
    levels double precision[],
    slopes double precision[],
    needs double precision[],
    title text DEFAULT 'Who is low, who is falling?'
) RETURNS text
    AS 'MODULE_PATHNAME', 'school_map_svg_wrapper'
    LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;

COMMENT ON FUNCTION @extschema@.school_map_svg(
    text[], double precision[], double precision[], double precision[], text
) IS 'A school as an SVG picture: one dot a student, current level across, change in 30 days up and down, darkest where low and falling, those most in need by name. The arrays belong together element by element; NULL says that a figure is unknown.';
