SELECT count(*) AS "n"
FROM events
WHERE "@timestamp" >= $1
  AND "@timestamp" < $2
  AND json_exists(labels, $3)
-- $1 = "2026-10-24T00:00:00.000Z"
-- $2 = "2026-10-27T00:00:00.000Z"
-- $3 = "/size"
