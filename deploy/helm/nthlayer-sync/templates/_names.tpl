{{- define "nthlayer-sync.name" -}}
{{- if contains "nthlayer-sync" .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}{{ printf "%s-nthlayer-sync" (.Release.Name | trunc 36 | trimSuffix "-") }}
{{- end }}
{{- end }}

{{- define "nthlayer-sync.selector" -}}
app.kubernetes.io/name: nthlayer-sync
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: daemon
{{- end }}

{{- define "nthlayer-sync.labels" -}}
{{ include "nthlayer-sync.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "nthlayer-sync.account" -}}
{{- if .Values.serviceAccount.create }}{{ .Values.serviceAccount.name | default (include "nthlayer-sync.name" .) }}
{{- else }}{{ .Values.serviceAccount.name | default "default" }}
{{- end }}
{{- end }}

{{- define "nthlayer-sync.image" -}}
{{- if .Values.image.digest }}{{ printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}{{ printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) }}
{{- end }}
{{- end }}

{{- /* "true" where the Kubernetes plugin works in the cluster that it runs in, as its own account. */ -}}
{{- define "nthlayer-sync.in-cluster" -}}
{{- dig "plugins" "kubernetes" "cluster" "in_cluster" false .Values.settings -}}
{{- end }}

{{- /* What does not go together, in words, before a pod fails with it. */ -}}
{{- define "nthlayer-sync.check" -}}
{{- $access := dig "serve" "access" dict .Values.settings | default dict }}
{{- if not .Values.settings.organisation }}{{ fail "settings: the settings file is empty; give at least organisation, sources and serve.access" }}{{ end }}
{{- if not (or $access.tokens $access.backstage $access.oidc) }}{{ fail "settings.serve.access: say who may come in (tokens, backstage or oidc); the daemon listens to nobody otherwise" }}{{ end }}
{{- if or (hasKey .Values.settings "state") (hasKey .Values.settings "cache") }}{{ fail "settings: state and cache follow from database and volume" }}{{ end }}
{{- $serve := .Values.settings.serve }}
{{- if or (hasKey $serve "listen") (hasKey $serve "grace") }}{{ fail "settings.serve: listen and grace follow from address and grace" }}{{ end }}
{{- if and .Values.database.url (regexMatch "://[^/@]*:[^/@]*@" .Values.database.url) }}{{ fail "database.url: the password goes into a Secret, database.secret" }}{{ end }}
{{- if and (gt (int .Values.replicas) 1) (not .Values.database.url) }}{{ fail "replicas: more than one needs database.url; SQLite is for one" }}{{ end }}
{{- if eq .Values.form "sidecar" }}
{{- if not .Values.database.url }}{{ fail "database.url: a sidecar needs PostgreSQL, since Backstage's pods keep nothing and may be several" }}{{ end }}
{{- if eq (include "nthlayer-sync.in-cluster" .) "true" }}{{ fail "settings.plugins.kubernetes.cluster.in_cluster: a sidecar would act as Backstage's account; give url and token" }}{{ end }}
{{- if gt (int .Values.grace) 25 }}{{ fail "grace: a sidecar has at most 25 seconds, since Backstage's chart leaves its pods 30" }}{{ end }}
{{- end }}
{{- end }}
