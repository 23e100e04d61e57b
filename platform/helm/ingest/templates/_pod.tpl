{{/* One half of ingest: a dictionary of root, role ("producer" or "consumer"), command, env (a list) and online (values). */}}
{{- define "half" -}}
{{- $values := index .root.Values .role -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: ingest-{{ .role }}
  labels: {{- include "labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .role }}
spec:
  replicas: 1
  # Never two at once: both halves own their place in the log.
  strategy: {type: Recreate}
  selector:
    matchLabels: {{- include "selector" .root | nindent 6 }}
      app.kubernetes.io/component: {{ .role }}
  template:
    metadata:
      labels: {{- include "labels" .root | nindent 8 }}
        app.kubernetes.io/component: {{ .role }}
      annotations:
        prometheus.io/port: "8080"
        {{- if eq .role "consumer" }}
        # The probe of `lab up` ends with a reading of the consumer.
        prometheus.io/interval: 2s
        {{- end }}
    spec:
      automountServiceAccountToken: false
      enableServiceLinks: false
      terminationGracePeriodSeconds: 15
      securityContext: {{- include "restricted.pod" .root | nindent 8 }}
      containers:
        - name: {{ .role }}
          image: {{ .root.Values.image }}
          imagePullPolicy: IfNotPresent
          args: [{{ .command }}]
          env:
            - {name: TARMAC_KAFKA, value: {{ .root.Values.kafka | quote }}}
            - {name: TARMAC_TRACES, value: {{ .root.Values.traces | quote }}}
            - {name: TARMAC_TRACE_RATIO, value: {{ .root.Values.traceRatio | quote }}}
            - {name: TARMAC_LOG_LEVEL, value: {{ .root.Values.logLevel | quote }}}
            {{- range .env }}
            - {name: {{ index . 0 }}, value: {{ index . 1 | toString | quote }}}
            {{- end }}
            {{- with .online }}{{ if .redis }}
            - {name: TARMAC_REDIS, value: {{ .redis | quote }}}
            - {name: TARMAC_REDIS_PASSWORD, valueFrom: {secretKeyRef: {name: {{ .redisSecret }}, key: password}}}
            - {name: TARMAC_ONLINE_SECONDS, value: {{ .onlineSeconds | quote }}}
            {{- end }}{{ end }}
          ports:
            - {name: http, containerPort: 8080}
          # Asked every second until it is ready for the first time, then seldom: who waits for it waits no longer than
          # it takes, and at idle nobody pays for that.
          startupProbe:
            httpGet: {path: /readyz, port: http}
            periodSeconds: 1
            failureThreshold: 600
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
          resources: {{- toYaml $values.resources | nindent 12 }}
          volumeMounts:
            - {name: tmp, mountPath: /tmp}
      volumes:
        - {name: tmp, emptyDir: {sizeLimit: 64Mi}}
{{- end }}
