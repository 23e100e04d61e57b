{{/* A worker beside the servers: a dictionary of root, name, of (its values) and env (a list). */}}
{{- define "worker" -}}
{{- $values := .root.Values -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: serving-{{ .name }}
  labels: {{- include "labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .name }}
spec:
  replicas: {{ int .of.replicas }}
  # Never two at once: each would count, or ask, all of it.
  strategy: {type: Recreate}
  selector:
    matchLabels: {{- include "selector" .root | nindent 6 }}
      app.kubernetes.io/component: {{ .name }}
  template:
    metadata:
      labels: {{- include "labels" .root | nindent 8 }}
        app.kubernetes.io/component: {{ .name }}
      annotations: {prometheus.io/port: "8080"}
    spec:
      automountServiceAccountToken: false
      enableServiceLinks: false
      terminationGracePeriodSeconds: 15
      securityContext: {{- include "restricted.pod" .root | nindent 8 }}
      containers:
        - name: {{ .name }}
          image: {{ $values.image }}
          imagePullPolicy: IfNotPresent
          args: [{{ .name }}]
          env:
            - {name: TARMAC_KAFKA, value: {{ $values.kafka | quote }}}
            - {name: TARMAC_TRACES, value: {{ $values.traces | quote }}}
            - {name: TARMAC_TRACE_RATIO, value: {{ $values.traceRatio | quote }}}
            - {name: TARMAC_LOG_LEVEL, value: {{ $values.logLevel | quote }}}
            {{- range .env }}
            - {name: {{ index . 0 }}, value: {{ index . 1 | toString | quote }}}
            {{- end }}
          ports:
            - {name: http, containerPort: 8080}
          startupProbe:
            httpGet: {path: /livez, port: http}
            periodSeconds: 1
            failureThreshold: 120
          # Ready once it has read what was there when it began.
          readinessProbe:
            httpGet: {path: /readyz, port: http}
            periodSeconds: 2
            timeoutSeconds: 3
          livenessProbe:
            httpGet: {path: /livez, port: http}
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 6
          securityContext: {{- include "restricted" .root | nindent 12 }}
          resources: {{- toYaml .of.resources | nindent 12 }}
          volumeMounts:
            - {name: tmp, mountPath: /tmp}
      volumes:
        - {name: tmp, emptyDir: {sizeLimit: 16Mi}}
{{- end }}
