INSERT INTO bench.plans
SELECT :'setting', :'statement', p.* FROM bench.plan(:'statement') p;
