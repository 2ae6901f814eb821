{{- /* The daemon's container, the same in a pod of its own and beside Backstage. */ -}}
{{- define "nthlayer-sync.container" -}}
name: nthlayer-sync
image: {{ include "nthlayer-sync.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- with .Values.env }}
env:
  {{- range $name, $value := . }}
  - name: {{ $name }}
    value: {{ $value | quote }}
  {{- end }}
{{- end }}
ports:
  - name: nthlayer
    containerPort: 8080
    protocol: TCP
livenessProbe:
  httpGet: {path: /live, port: nthlayer}
  {{- if eq .Values.form "sidecar" }}
  initialDelaySeconds: 300
  {{- end }}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
{{- if eq .Values.form "service" }}
# Starting may take five minutes: a migration of the database is part of it.
startupProbe:
  httpGet: {path: /live, port: nthlayer}
  periodSeconds: 2
  timeoutSeconds: 5
  failureThreshold: 150
readinessProbe:
  httpGet: {path: /ready, port: nthlayer}
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 3
{{- end }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
securityContext:
  allowPrivilegeEscalation: false
  capabilities: {drop: [ALL]}
  privileged: false
  readOnlyRootFilesystem: true
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  seccompProfile: {type: RuntimeDefault}
volumeMounts:
  - name: nthlayer-settings
    mountPath: /etc/nthlayer-sync
    readOnly: true
  - name: nthlayer-work
    mountPath: /var/lib/nthlayer-sync
  {{- if include "nthlayer-sync.secrets" . }}
  - name: nthlayer-secrets
    mountPath: /run/secrets/nthlayer-sync
    readOnly: true
  {{- end }}
{{- end }}

{{- define "nthlayer-sync.secrets" -}}
{{- range .Values.secrets }}
- secret:
    {{- toYaml . | nindent 4 }}
{{- end }}
{{- with .Values.database }}
{{- if and .url .secret.name }}
- secret:
    name: {{ .secret.name }}
    items: [{key: {{ .secret.key }}, path: database-password}]
{{- end }}
{{- end }}
{{- end }}

{{- /* The volumes of that container. */ -}}
{{- define "nthlayer-sync.volumes" -}}
- name: nthlayer-settings
  configMap:
    name: {{ include "nthlayer-sync.name" . }}
- name: nthlayer-work
  {{- if .Values.database.url }}
  emptyDir:
    sizeLimit: {{ .Values.volume.cache }}
  {{- else }}
  persistentVolumeClaim:
    claimName: {{ .Values.volume.existingClaim | default (include "nthlayer-sync.name" .) }}
  {{- end }}
{{- with include "nthlayer-sync.secrets" . }}
- name: nthlayer-secrets
  projected:
    # Beside Backstage the pod has no group of ours: only containers that mount it can read it anyway.
    defaultMode: 0444
    sources:
      {{- . | trim | nindent 6 }}
{{- end }}
{{- end }}
