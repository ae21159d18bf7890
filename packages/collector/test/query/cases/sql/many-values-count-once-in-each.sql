SELECT exact(d0) AS "tag",
       count(*) AS "n"
FROM (SELECT *, unnest(list_distinct("tags")) AS d0 FROM events
WHERE "@timestamp" >= $1
  AND "@timestamp" < $2)
GROUP BY d0
ORDER BY "n" DESC NULLS LAST, "tag" ASC NULLS LAST
LIMIT 100000
-- $1 = "2026-10-24T00:00:00.000Z"
-- $2 = "2026-10-27T00:00:00.000Z"
