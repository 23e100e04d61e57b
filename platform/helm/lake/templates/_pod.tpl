{{/* What every pod of the lake is told. */}}
{{- define "env" -}}
- {name: TARMAC_LAKE, value: {{ .Values.lake | quote }}}
- {name: TARMAC_S3_ENDPOINT, value: {{ .Values.s3.endpoint | quote }}}
- {name: TARMAC_S3_REGION, value: {{ .Values.s3.region | quote }}}
- {name: TARMAC_S3_ACCESS_KEY, valueFrom: {secretKeyRef: {name: {{ .Values.s3.secret }}, key: access-key}}}
- {name: TARMAC_S3_SECRET_KEY, valueFrom: {secretKeyRef: {name: {{ .Values.s3.secret }}, key: secret-key}}}
- {name: TARMAC_KEEP_HOURS, value: {{ int .Values.keepHours | quote }}}
- {name: TARMAC_LOG_LEVEL, value: {{ .Values.logLevel | quote }}}
{{- end }}
{{/* A pod that runs one command: a dictionary of root, args (a list), values (of this pod), env (a list), serves,
     reports ("written" or "read": what it does with the volume of the daily pages), workspace (it mounts the one of the
     training sets), online (it writes to the online store), image (where it is not the lake's own). */}}
{{- define "pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
terminationGracePeriodSeconds: 30
{{- if eq (default "" .reports) "written" }}
# The volume is one node's at a time: whoever writes it stands where it is read.
affinity:
  podAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      - topologyKey: kubernetes.io/hostname
        labelSelector:
          matchLabels: {{- include "selector" .root | nindent 12 }}
            app.kubernetes.io/component: watch
{{- end }}
securityContext: {{- include "restricted.pod" .root | nindent 2 }}
containers:
  - name: {{ .name }}
    image: {{ .image | default .root.Values.image }}
    imagePullPolicy: IfNotPresent
    args: {{ toJson .args }}
    env:
      {{- include "env" .root | nindent 6 }}
      # One core: more threads would only take turns, each with memory of its own.
      - {name: POLARS_MAX_THREADS, value: "2"}
      # What spares a public cloud's store ticks for good once it was asked; this one is ours.
      - {name: POLARS_DISABLE_HTTP_RATE_LIMIT, value: "1"}
      {{- if and .online .root.Values.redis }}
      - {name: TARMAC_REDIS, value: {{ .root.Values.redis | quote }}}
      - {name: TARMAC_REDIS_PASSWORD, valueFrom: {secretKeyRef: {name: {{ .root.Values.redisSecret }}, key: password}}}
      {{- end }}
      {{- range .env }}
      - {name: {{ index . 0 }}, value: {{ index . 1 | toString | quote }}}
      {{- end }}
    {{- if .serves }}
    ports:
      - {name: http, containerPort: 8080}
    startupProbe:
      httpGet: {path: /livez, port: http}
      periodSeconds: 1
      failureThreshold: 60
    readinessProbe:
      httpGet: {path: /readyz, port: http}
      periodSeconds: 2
      timeoutSeconds: 3
    livenessProbe:
      httpGet: {path: /livez, port: http}
      periodSeconds: 10
      timeoutSeconds: 5
      failureThreshold: 6
    {{- end }}
    securityContext: {{- include "restricted" .root | nindent 6 }}
    resources: {{- toYaml .values.resources | nindent 6 }}
    volumeMounts:
      - {name: tmp, mountPath: /tmp}
      {{- if .reports }}
      - {name: reports, mountPath: /reports, readOnly: {{ eq .reports "read" }}}
      {{- end }}
      {{- if .workspace }}
      - {name: workspace, mountPath: /workspace}
      {{- end }}
volumes:
  - {name: tmp, emptyDir: {sizeLimit: 512Mi}}
  {{- if .reports }}
  - {name: reports, persistentVolumeClaim: {claimName: lake-reports}}
  {{- end }}
  {{- if .workspace }}
  - {name: workspace, persistentVolumeClaim: {claimName: lake-workspace}}
  {{- end }}
{{- end }}
{{/* One that stays. */}}
{{- define "service" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: lake-{{ .name }}
  labels: {{- include "labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .name }}
spec:
  replicas: 1
  # Never two at once: a table has one writer.
  strategy: {type: Recreate}
  selector:
    matchLabels: {{- include "selector" .root | nindent 6 }}
      app.kubernetes.io/component: {{ .name }}
  template:
    metadata:
      labels: {{- include "labels" .root | nindent 8 }}
        app.kubernetes.io/component: {{ .name }}
      annotations: {prometheus.io/port: "8080"}
    spec: {{- include "pod" (merge (dict "serves" true) .) | nindent 6 }}
{{- end }}
{{/* One that runs now and then, and on demand: kubectl create job --from=cronjob/lake-build NAME; or, where it has no
     schedule, on demand alone: who asked is told of a failure and asks again. */}}
{{- define "job" -}}
apiVersion: batch/v1
kind: CronJob
metadata:
  name: lake-{{ .name }}
  labels: {{- include "labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .name }}
spec:
  {{- if .values.schedule }}
  schedule: {{ .values.schedule | quote }}
  {{- else }}
  # Whoever asks makes a job of it; the schedule is only there because there must be one.
  suspend: true
  schedule: "0 0 1 1 *"
  {{- end }}
  timeZone: Etc/UTC
  # What is not done is made up for by the next run: none has to wait for another, and none may run beside it.
  concurrencyPolicy: Forbid
  startingDeadlineSeconds: 3600
  # One that somebody asked for is still there when the next one of the schedule has ended.
  successfulJobsHistoryLimit: 3
  failedJobsHistoryLimit: 1
  jobTemplate:
    metadata:
      labels: {{- include "labels" .root | nindent 8 }}
        app.kubernetes.io/component: {{ .name }}
    spec:
      backoffLimit: {{ ternary 2 0 (hasKey .values "schedule") }}
      activeDeadlineSeconds: 1800
      template:
        metadata:
          labels: {{- include "labels" .root | nindent 12 }}
            app.kubernetes.io/component: {{ .name }}
        spec:
          restartPolicy: Never
          {{- include "pod" . | nindent 10 }}
{{- end }}
