SELECT exact(d0) AS "event",
       exact(d1) AS "item",
       count(*) AS "n"
FROM (SELECT *, "item" AS d1 FROM (SELECT *, "event.action" AS d0 FROM events
WHERE "@timestamp" >= $1
  AND "@timestamp" < $2)
WHERE d0 IS NOT NULL)
WHERE d1 IS NOT NULL
GROUP BY d0, d1
ORDER BY "n" DESC NULLS LAST, "event" ASC NULLS LAST, "item" ASC NULLS LAST
LIMIT 4
-- $1 = "2026-10-24T00:00:00.000Z"
-- $2 = "2026-10-27T00:00:00.000Z"
