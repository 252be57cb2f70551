-- Typed answers and untidy labels (src/functions/word.rs). IMMUTABLE, so that they can be indexed:
-- a WARNING changes no result (to_tsvector, too, is IMMUTABLE and reports words that it left out).

CREATE FUNCTION @extschema@.normalize_word(text text) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10
AS 'MODULE_PATHNAME', 'normalize_word_wrapper';
COMMENT ON FUNCTION @extschema@.normalize_word IS
'a typed answer or label without what does not matter: case, punctuation, spaces, how characters '
'are encoded; NULL and a WARNING when nothing is left or the text is damaged';

CREATE FUNCTION @extschema@.matches_key(answer text, key text[]) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10
AS 'MODULE_PATHNAME', 'matches_key_wrapper';
COMMENT ON FUNCTION @extschema@.matches_key IS
'whether a typed answer equals an entry of the key, both as normalize_word has them; NULL when '
'there is no answer or no usable key';
