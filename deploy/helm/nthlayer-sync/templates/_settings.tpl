{{- /* nthlayer-sync.yaml: the settings of the values, with what follows from the chart. */ -}}
{{- define "nthlayer-sync.settings" -}}
{{- $listen := printf (contains ":" .Values.address | ternary "[%s]:8080" "%s:8080") .Values.address }}
{{- $own := dict "cache" "/var/lib/nthlayer-sync/cache" "state" "/var/lib/nthlayer-sync/state.db" }}
{{- $_ := set $own "serve" (dict "listen" $listen "grace" (printf "%dseconds" (int .Values.grace))) }}
{{- if .Values.database.url }}
{{- $state := dict "url" .Values.database.url }}
{{- if .Values.database.secret.name }}{{ $_ := set $state "password" "file:/run/secrets/nthlayer-sync/database-password" }}{{ end }}
{{- $_ := set $own "state" $state }}
{{- end }}
{{- mergeOverwrite (deepCopy .Values.settings) $own | toYaml }}
{{- end }}

{{- /* Everything that the ConfigMap holds. */ -}}
{{- define "nthlayer-sync.files" -}}
{{- merge (dict "nthlayer-sync.yaml" (include "nthlayer-sync.settings" .)) .Values.files | toYaml }}
{{- end }}
