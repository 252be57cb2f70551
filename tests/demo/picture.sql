-- The school of the student explained above.
SELECT assess.school_map_svg(
           array_agg(r.given_name || ' ' || r.family_name), array_agg(s.level),
           array_agg(s.slope), array_agg(s.need),
           c.name || ', ELA: who is low, who is falling?')
FROM sample_network.students r
JOIN sample_network.schools c USING (school_id)
LEFT JOIN students s ON s.subject = 'ELA' AND s.student = r.student_id::text
WHERE c.school_id = (
    SELECT school_id
    FROM sample_network.truth_students JOIN sample_network.students USING (student_id)
    WHERE subject = 'ELA' AND story = 'high spelling, low literacy')
GROUP BY c.name;
