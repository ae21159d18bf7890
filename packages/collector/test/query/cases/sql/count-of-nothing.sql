SELECT count(*) AS "n",
       count(DISTINCT "user.id") AS "visitors",
       coalesce(sum("duration"), 0) AS "total",
       avg("duration") AS "mean",
       min("duration") AS "least",
       max("duration") AS "most",
       quantile_cont("duration", $1) AS "median"
FROM events
WHERE "@timestamp" >= $2
  AND "@timestamp" < $3
  AND "item" = $4
-- $1 = 0.5
-- $2 = "2026-10-24T00:00:00.000Z"
-- $3 = "2026-10-27T00:00:00.000Z"
-- $4 = "never seen"
