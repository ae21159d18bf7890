SELECT count(*) AS "n",
       coalesce(sum(list_sum(numbers(metrics, $1))), 0) AS "total"
FROM events
WHERE "@timestamp" >= $2
  AND "@timestamp" < $3
-- $1 = "/no such key"
-- $2 = "2026-10-24T00:00:00.000Z"
-- $3 = "2026-10-27T00:00:00.000Z"
