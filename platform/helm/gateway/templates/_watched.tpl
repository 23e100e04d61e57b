{{/* The namespaces that the controller reads: its own, and those of the values. */}}
{{- define "watched" -}}
{{- concat (list .Release.Namespace) .Values.namespaces | uniq | toJson -}}
{{- end }}
