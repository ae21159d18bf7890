SELECT count(DISTINCT "user.id") AS "visitors",
       coalesce(len(list_distinct(flatten(list(DISTINCT list_distinct("tags"))))), 0) AS "tags",
       coalesce(len(list_distinct(flatten(list(DISTINCT texts(labels, $1))))), 0) AS "sizes",
       count(DISTINCT "bot") AS "bots"
FROM events
WHERE "@timestamp" >= $2
  AND "@timestamp" < $3
-- $1 = "/size"
-- $2 = "2026-10-24T00:00:00.000Z"
-- $3 = "2026-10-27T00:00:00.000Z"
