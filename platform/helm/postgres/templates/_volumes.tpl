{{/* The passwords of all roles, one folder for each database. */}}
{{- define "passwords" -}}
name: secret
projected:
  sources:
    {{- range .Values.databases }}
    - secret: {name: {{ $.Values.secretPrefix }}-{{ . }}, items: [{key: password, path: {{ . }}/password}]}
    {{- end }}
{{- end }}
