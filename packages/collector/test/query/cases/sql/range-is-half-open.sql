SELECT count(*) AS "n"
FROM events
WHERE "@timestamp" >= $1
  AND "@timestamp" < $2
-- $1 = "2026-10-24T22:30:00.000Z"
-- $2 = "2026-10-25T23:00:00.000Z"
