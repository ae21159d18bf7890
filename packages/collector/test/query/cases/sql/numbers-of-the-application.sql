SELECT count(*) AS "n",
       coalesce(sum(list_sum(numbers(metrics, $1))), 0) AS "total",
       sum(list_sum(numbers(metrics, $1))) / sum(len(numbers(metrics, $1))) AS "mean",
       min(list_min(numbers(metrics, $1))) AS "least",
       max(list_max(numbers(metrics, $1))) AS "most"
FROM events
WHERE "@timestamp" >= $2
  AND "@timestamp" < $3
  AND json_exists(labels, $1)
-- $1 = "/size"
-- $2 = "2026-10-24T00:00:00.000Z"
-- $3 = "2026-10-27T00:00:00.000Z"
