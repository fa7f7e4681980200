# The calls of MLflow's R client, made as it makes them: httr, JSON, every scalar of a body turned into text. Stops at what is not as it should be.
library(httr)

server <- commandArgs(trailingOnly = TRUE)[1]

rest <- function(verb, path, fields = list()) {
  url <- paste(server, "api/2.0/mlflow", path, sep = "/")
  text <- rapply(fields, as.character, how = "replace")
  response <- switch(verb,
    GET = GET(url, query = fields, timeout(60), add_headers(`User-Agent` = "mlflow-r-client/3.1")),
    POST = POST(url, body = text, encode = "json", timeout(60), add_headers(`User-Agent` = "mlflow-r-client/3.1")),
    PATCH = PATCH(url, body = text, encode = "json", timeout(60)),
    DELETE = DELETE(url, body = text, encode = "json", timeout(60))
  )
  if (response$status_code != 200) stop(path, " ", response$status_code, " ", content(response, "text", encoding = "UTF-8"))
  jsonlite::fromJSON(content(response, "text", encoding = "UTF-8"), simplifyVector = FALSE)
}
same <- function(expected, actual) if (!isTRUE(all.equal(expected, actual))) stop("expected ", toString(expected), ", got ", toString(actual))
named <- function(pairs) setNames(lapply(pairs, function(pair) pair$value), vapply(pairs, function(pair) pair$key, ""))
rest_metric <- function(value) if (is.nan(value)) "NaN" else if (value == Inf) "Infinity" else if (value == -Inf) "-Infinity" else as.character(value)

experiment <- rest("POST", "experiments/create", list(name = "r", artifact_location = NULL, tags = list(list(key = "team", value = "tide"))))$experiment_id
rest("POST", "experiments/set-experiment-tag", list(experiment_id = experiment, key = "n", value = 5))
same("5", named(rest("GET", "experiments/get", list(experiment_id = experiment))$experiment$tags)$n)
found <- rest("POST", "experiments/search", list(filter = "name = 'r'", max_results = 1000, order_by = list("name"), page_token = NULL, view_type = "ACTIVE_ONLY"))
same(experiment, found$experiments[[1]]$experiment_id)
cat("ok experiments\n")

started <- round(as.double(as.numeric(Sys.time()) * 1000))
run <- rest("POST", "runs/create", list(experiment_id = experiment, user_id = "unknown", start_time = started, tags = NULL))$run$info
same(started, as.double(run$start_time))
id <- list(run_uuid = run$run_uuid, run_id = run$run_id)
values <- c(0.1 + 0.2, NaN, Inf, -Inf, 1e-10)
for (i in seq_along(values)) {
  # 1e+05 and its like are what as.character() makes of whole numbers.
  rest("POST", "runs/log-metric", c(id, list(key = "loss", value = rest_metric(values[i]), timestamp = 1.7e12, step = (i - 1) * 1e5)))
}
rest("POST", "runs/log-parameter", c(id, list(key = "lr", value = "0.1")))
rest("POST", "runs/set-tag", c(id, list(key = "on", value = TRUE)))
many <- data.frame(key = rep("many", 100), value = as.character(1:100), step = 1:100 * 1000, timestamp = rep(1.5e12, 100))
rest("POST", "runs/log-batch", list(run_id = run$run_id, metrics = many, params = data.frame(key = "depth", value = "3"), tags = NULL))
rest("POST", "runs/log-batch", list(run_id = run$run_id, metrics = many, params = NULL, tags = NULL))
rest("POST", "runs/update", c(id, list(status = "FINISHED", end_time = started + 1)))

data <- rest("GET", "runs/get", id)$run$data
same("0.1", named(data$params)$lr)
same("3", named(data$params)$depth)
same("TRUE", named(data$tags)$on)
history <- rest("GET", "metrics/get-history", c(id, list(metric_key = "loss")))$metrics
same(c(0, 1e5, 2e5, 3e5, 4e5), vapply(history, function(point) as.double(point$step), 0))
same(list(0.3, "NaN", "Infinity", "-Infinity", 1e-10), lapply(history, function(point) point$value))
same(100L, length(rest("GET", "metrics/get-history", c(id, list(metric_key = "many")))$metrics))
search <- list(experiment_ids = list(experiment), filter = "params.lr = '0.1'", run_view_type = "ACTIVE_ONLY", order_by = list())
same(run$run_id, rest("POST", "runs/search", search)$runs[[1]]$info$run_id)
rest("POST", "runs/delete", list(run_id = run$run_id))
same(0L, length(rest("POST", "runs/search", search)$runs))
rest("POST", "runs/restore", list(run_id = run$run_id))
rest("GET", "artifacts/list", c(id, list(path = NULL)))
cat("ok runs\n")

rest("POST", "registered-models/create", list(name = "r", tags = list(list(key = "a", value = 1)), description = NULL))
for (i in 1:2) rest("POST", "model-versions/create", list(name = "r", source = paste0("s3://bucket/", i), run_id = run$run_id, run_link = NULL, tags = NULL))
rest("PATCH", "model-versions/update", list(name = "r", version = 2, description = "second"))
staged <- rest("POST", "model-versions/transition-stage", list(name = "r", version = 2, stage = "Production", archive_existing_versions = TRUE))
same("Production", staged$model_version$current_stage)
rest("POST", "registered-models/alias", list(name = "r", alias = "best", version = 2))
same("second", rest("GET", "registered-models/alias", list(name = "r", alias = "best"))$model_version$description)
same("r", rest("POST", "registered-models/search", list(filter = NULL, max_results = 100, order_by = list(), page_token = NULL))$registered_models[[1]]$name)
same("s3://bucket/1", rest("GET", "model-versions/get-download-uri", list(name = "r", version = 1))$artifact_uri)
rest("DELETE", "model-versions/delete", list(name = "r", version = 1))
rest("DELETE", "registered-models/delete", list(name = "r"))
cat("ok registry\n")
