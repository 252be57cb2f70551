-- The tables as published, column by column.
CREATE EXTENSION pg_assess;
CREATE SCHEMA oulad;
CREATE TABLE oulad.assessments (
    code_module text, code_presentation text, id_assessment int, assessment_type text,
    date int, weight float8);
CREATE TABLE oulad."studentAssessment" (
    id_assessment int, id_student int, date_submitted int, is_banked int, score float8);
CREATE TABLE oulad.courses (
    code_module text, code_presentation text, module_presentation_length int);
CREATE TABLE oulad."studentInfo" (
    code_module text, code_presentation text, id_student int, gender text, region text,
    highest_education text, imd_band text, age_band text, num_of_prev_attempts int,
    studied_credits int, disability text, final_result text);
CREATE TABLE oulad."studentRegistration" (
    code_module text, code_presentation text, id_student int, date_registration int,
    date_unregistration int);
