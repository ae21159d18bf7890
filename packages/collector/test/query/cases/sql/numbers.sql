SELECT coalesce(sum("browser.web_vital.value"), 0) AS "total",
       avg("browser.web_vital.value") FILTER (WHERE "browser.web_vital.name" = $1) AS "mean",
       min("browser.web_vital.value") AS "least",
       max("browser.web_vital.value") AS "most",
       quantile_cont("browser.web_vital.value", $2) FILTER (WHERE "browser.web_vital.name" = $1) AS "lowest",
       quantile_cont("browser.web_vital.value", $3) FILTER (WHERE "browser.web_vital.name" = $1) AS "highest"
FROM events
WHERE "@timestamp" >= $4
  AND "@timestamp" < $5
  AND "event.action" = $6
-- $1 = "LCP"
-- $2 = 0
-- $3 = 1
-- $4 = "2026-10-24T00:00:00.000Z"
-- $5 = "2026-10-27T00:00:00.000Z"
-- $6 = "vital"
