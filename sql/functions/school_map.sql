-- The school map: a picture anyone can read.

CREATE FUNCTION @extschema@.school_map_svg(
    labels text[],
    levels float8[],
    slopes float8[],
    needs float8[],
    title text DEFAULT 'Who is low, who is falling?',
    mean float8 DEFAULT NULL
) RETURNS text
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'school_map_svg_wrapper';

COMMENT ON FUNCTION @extschema@.school_map_svg(text[], float8[], float8[], float8[], text,
    float8) IS
'A school as an SVG picture: one dot a student, current level across, change in 30 days up and '
'down, darkest where low and falling, those most in need by name. The arrays belong together '
'element by element; NULL says that a figure is unknown. Low lies below the mean; where it is '
'left out, below that of these students, without the few far outside.';

CREATE FUNCTION @extschema@._middle_level(levels float8[]) RETURNS float8
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'middle_level_wrapper';
COMMENT ON FUNCTION @extschema@._middle_level(float8[]) IS
'internal: the mean level without the few far outside, which divides low from high';

CREATE FUNCTION @extschema@._quadrant(level float8, middle float8, change float8) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'quadrant_wrapper';
COMMENT ON FUNCTION @extschema@._quadrant(float8, float8, float8) IS
'internal: low or high, falling or rising';

CREATE FUNCTION @extschema@._quadrant_rank(level float8, middle float8, change float8) RETURNS int
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'quadrant_rank_wrapper';
COMMENT ON FUNCTION @extschema@._quadrant_rank(float8, float8, float8) IS
'internal: the rank of a quadrant, 1 low and falling';
