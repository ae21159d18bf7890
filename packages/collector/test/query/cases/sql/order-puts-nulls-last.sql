SELECT exact(d0) AS "item",
       count(*) AS "n",
       avg("duration") AS "mean"
FROM (SELECT *, "item" AS d0 FROM events
WHERE "@timestamp" >= $1
  AND "@timestamp" < $2)
WHERE d0 IS NOT NULL
GROUP BY d0
ORDER BY "mean" ASC NULLS LAST, "item" ASC NULLS LAST
LIMIT 100000
-- $1 = "2026-10-24T00:00:00.000Z"
-- $2 = "2026-10-27T00:00:00.000Z"
