{{/* Names by which the server lets itself be called: exact ones, because a pattern would also fit names that somebody
     else can register. Prometheus calls each pod by its address. */}}
{{- define "hosts" -}}
{{- $own := printf "mlflow.%s.svc" .Release.Namespace -}}
{{- $port := int .Values.externalPort -}}
{{- $hosts := list "$(POD_IP):5000" "mlflow:5000" (printf "%s:5000" $own) (printf "%s.cluster.local:5000" $own)
    (printf "127.0.0.1:%d" $port) (printf "localhost:%d" $port) -}}
{{- join "," (concat $hosts .Values.hosts) -}}
{{- end }}
{{/* What MLflow is told, in every container of its pods. */}}
{{- define "env" -}}
- {name: MLFLOW_BACKEND_STORE_URI, value: {{ .Values.database | quote }}}
# Read by PostgreSQL's own library: no command line and no address ever carries it.
- {name: PGPASSWORD, valueFrom: {secretKeyRef: {name: {{ .Values.databaseSecret }}, key: password}}}
# It would report its use to its makers.
- {name: MLFLOW_DISABLE_TELEMETRY, value: "true"}
# MLflow and its libraries look for a home to write to.
- {name: HOME, value: /tmp}
{{- end }}
