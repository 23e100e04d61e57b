{{/* One track: a dictionary of root, track (its name) and of (its values). */}}
{{- define "track.labels" -}}
app.kubernetes.io/component: server
tarmac.dev/track: {{ .track }}
{{- end }}
{{- define "track" -}}
{{- $values := .root.Values -}}
apiVersion: v1
kind: Service
metadata:
  name: serving-{{ .track }}
  labels: {{- include "labels" .root | nindent 4 }}
    {{- include "track.labels" . | nindent 4 }}
spec:
  {{- if eq .track "stable" }}
  type: NodePort
  {{- end }}
  selector: {{- include "selector" .root | nindent 4 }}
    {{- include "track.labels" . | nindent 4 }}
  ports:
    - name: http
      port: 8080
      targetPort: http
      {{- if eq .track "stable" }}
      nodePort: {{ $values.nodePort }}
      {{- end }}
    # HTTP/2 from the first byte.
    - {name: grpc, port: 8081, targetPort: grpc, appProtocol: kubernetes.io/h2c}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: serving-{{ .track }}
  labels: {{- include "labels" .root | nindent 4 }}
    {{- include "track.labels" . | nindent 4 }}
spec:
  replicas: {{ .of.replicas }}
  # A restart loses no request: a new server has to have stood for a moment, time enough for the gateway to hear of it,
  # before an old one goes; and that one still takes requests while the gateway may not have heard that it goes.
  minReadySeconds: {{ int $values.leaveSeconds }}
  strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}
  selector:
    matchLabels: {{- include "selector" .root | nindent 6 }}
      {{- include "track.labels" . | nindent 6 }}
  template:
    metadata:
      labels: {{- include "labels" .root | nindent 8 }}
        {{- include "track.labels" . | nindent 8 }}
      annotations: {prometheus.io/port: "8080"}
    spec:
      automountServiceAccountToken: false
      enableServiceLinks: false
      # Leaving, draining, and a little more.
      terminationGracePeriodSeconds: {{ add (int $values.leaveSeconds) (int $values.drainSeconds) 5 }}
      {{- if gt (int .of.replicas) 1 }}
      topologySpreadConstraints:
        - topologyKey: kubernetes.io/hostname
          maxSkew: 1
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels: {{- include "selector" .root | nindent 14 }}
              {{- include "track.labels" . | nindent 14 }}
      {{- end }}
      securityContext: {{- include "restricted.pod" .root | nindent 8 }}
      containers:
        - name: server
          image: {{ $values.image }}
          imagePullPolicy: IfNotPresent
          args: [serve]
          env:
            - {name: TARMAC_MLFLOW, value: {{ $values.mlflow | quote }}}
            - {name: TARMAC_ALIAS, value: {{ .of.alias | quote }}}
            - {name: TARMAC_WATCH_SECONDS, value: {{ int $values.watchSeconds | quote }}}
            - {name: TARMAC_MODELS, value: /models}
            - {name: TARMAC_DEFAULT_MODEL, value: {{ $values.defaultModel | quote }}}
            - {name: TARMAC_FEATURE, value: {{ $values.feature | quote }}}
            - {name: TARMAC_FEATURE_SECONDS, value: {{ $values.featureSeconds | quote }}}
            - {name: TARMAC_TIMETABLE, value: {{ $values.timetable | quote }}}
            - {name: TARMAC_KAFKA, value: {{ $values.kafka | quote }}}
            - {name: TARMAC_LOG_RATIO, value: {{ $values.logRatio | quote }}}
            - {name: TARMAC_TRACK, value: {{ .track | quote }}}
            - {name: TARMAC_MODEL_BYTES, value: {{ int $values.modelBytes | quote }}}
            - {name: TARMAC_MODELS_BYTES, value: {{ int $values.modelsBytes | quote }}}
            - {name: TARMAC_THREADS, value: {{ int $values.threads | quote }}}
            - {name: TARMAC_TRACES, value: {{ $values.traces | quote }}}
            - {name: TARMAC_TRACE_RATIO, value: {{ $values.traceRatio | quote }}}
            - {name: TARMAC_DRAIN_SECONDS, value: {{ int $values.drainSeconds | quote }}}
            - {name: TARMAC_LOG_LEVEL, value: {{ $values.logLevel | quote }}}
            # Libraries look for a home to write to.
            - {name: HOME, value: /tmp}
          ports:
            - {name: http, containerPort: 8080}
            - {name: grpc, containerPort: 8081}
          startupProbe:
            httpGet: {path: /livez, port: http}
            periodSeconds: 1
            failureThreshold: 120
          # Ready once the models of its alias are loaded, as far as the registry could be asked.
          readinessProbe:
            httpGet: {path: /readyz, port: http}
            periodSeconds: 2
            timeoutSeconds: 3
          livenessProbe:
            httpGet: {path: /livez, port: http}
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 6
          lifecycle:
            preStop: {exec: {command: [sleep, {{ int $values.leaveSeconds | quote }}]}}
          securityContext: {{- include "restricted" .root | nindent 12 }}
          resources: {{- toYaml $values.resources | nindent 12 }}
          volumeMounts:
            - {name: models, mountPath: /models}
            - {name: tmp, mountPath: /tmp}
      volumes:
        # Fetched again by the next pod: the registry has them.
        - {name: models, emptyDir: {sizeLimit: {{ $values.modelsSize }}}}
        - {name: tmp, emptyDir: {sizeLimit: 64Mi}}
{{- if gt (int .of.replicas) 1 }}
---
# Nodes may be drained one at a time: one server is always there.
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: serving-{{ .track }}
  labels: {{- include "labels" .root | nindent 4 }}
    {{- include "track.labels" . | nindent 4 }}
spec:
  maxUnavailable: 1
  selector:
    matchLabels: {{- include "selector" .root | nindent 6 }}
      {{- include "track.labels" . | nindent 6 }}
{{- end }}
{{- end }}
