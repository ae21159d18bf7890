SELECT exact(d0) AS "item",
       count(*) AS "n",
       count(DISTINCT "user.id") AS "visitors",
       max("duration") AS "longest"
FROM (SELECT *, "item" AS d0 FROM events
WHERE "@timestamp" >= $1
  AND "@timestamp" < $2)
WHERE d0 IS NOT NULL
GROUP BY d0
ORDER BY "item" DESC NULLS LAST
LIMIT 1
-- $1 = "2026-10-24T00:00:00.000Z"
-- $2 = "2026-10-27T00:00:00.000Z"
