{{- define "flatline.name" -}}
{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "flatline.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}
{{- end }}

{{/* Labels that select the pods of a role: (list $ "worker") */}}
{{- define "flatline.selector" -}}
app.kubernetes.io/name: flatline
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "flatline.labels" -}}
{{ include "flatline.selector" . }}
app.kubernetes.io/version: {{ (index . 0).Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ (index . 0).Release.Service }}
helm.sh/chart: {{ (index . 0).Chart.Name }}-{{ (index . 0).Chart.Version }}
{{- end }}

{{- define "flatline.port" -}}
{{ get (dict "worker" "8711" "ingest" "8710" "serve" "8709" "connect" "8708") . }}
{{- end }}

{{- define "flatline.sasl" -}}
{{- if hasPrefix "SASL" .Values.kafka.securityProtocol }}true{{ end }}
{{- end }}

{{/* Environment of a role: (list $ "worker") */}}
{{- define "flatline.environment" -}}
{{- $ := index . 0 -}}
{{- $role := index . 1 -}}
{{- $user := get $.Values.kafka.sasl.users $role -}}
- {name: FLATLINE_KAFKA_BOOTSTRAP, value: {{ $.Values.kafka.bootstrap | quote }}}
- {name: FLATLINE_KAFKA_SECURITY_PROTOCOL, value: {{ $.Values.kafka.securityProtocol }}}
- {name: FLATLINE_NAMESPACE, value: {{ $.Values.kafka.namespace | quote }}}
- {name: FLATLINE_PARTITIONS, value: {{ $.Values.kafka.partitions | quote }}}
- {name: FLATLINE_REPLICATION_FACTOR, value: {{ $.Values.kafka.replicationFactor | quote }}}
{{- if include "flatline.sasl" $ }}
- {name: FLATLINE_KAFKA_SASL_MECHANISM, value: {{ $.Values.kafka.sasl.mechanism }}}
- {name: FLATLINE_KAFKA_SASL_USERNAME, value: {{ $user.username | quote }}}
- {name: FLATLINE_KAFKA_SASL_PASSWORD_FILE, value: "/etc/flatline/kafka-user/{{ $user.key }}"}
{{- end }}
{{- if $.Values.kafka.ca.secretName }}
- {name: FLATLINE_KAFKA_SSL_CA_FILE, value: "/etc/flatline/kafka-ca/{{ $.Values.kafka.ca.key }}"}
{{- end }}
{{- if ne $role "operator" }}
- {name: FLATLINE_{{ upper $role }}_HOST, value: "0.0.0.0"}
- {name: FLATLINE_{{ upper $role }}_PORT, value: {{ include "flatline.port" $role | quote }}}
- name: FLATLINE_ADVERTISED_HOST
  valueFrom: {fieldRef: {fieldPath: status.podIP}}
{{- if $.Values.tls.secretName }}
- {name: FLATLINE_TLS_CERTIFICATE_FILE, value: /etc/flatline/tls/tls.crt}
- {name: FLATLINE_TLS_KEY_FILE, value: /etc/flatline/tls/tls.key}
{{- end }}
{{- end }}
{{- if has $role (list "ingest" "serve") }}
- {name: FLATLINE_{{ upper $role }}_TOKENS_FILE, value: "/etc/flatline/tokens/{{ (get $.Values $role).tokens.key }}"}
{{- end }}
{{- if eq $role "connect" }}
- {name: FLATLINE_CONNECTORS_FILE, value: /etc/flatline/connectors/connectors.toml}
{{- end }}
{{- if and $.Values.worker.policy (has $role (list "worker" "serve")) }}
- {name: FLATLINE_POLICY_FILE, value: /etc/flatline/policy/policy.toml}
{{- end }}
{{- range $name, $value := $.Values.settings }}
- {name: {{ $name }}, value: {{ $value | toString | quote }}}
{{- end }}
{{- end }}

{{/* Volumes of a role, as name: source. */}}
{{- define "flatline.sources" -}}
{{- $ := index . 0 -}}
{{- $role := index . 1 -}}
tmp: {emptyDir: {}}
{{- if include "flatline.sasl" $ }}
kafka-user: {secret: {secretName: {{ (get $.Values.kafka.sasl.users $role).secretName | quote }}}}
{{- end }}
{{- with $.Values.kafka.ca.secretName }}
kafka-ca: {secret: {secretName: {{ . | quote }}}}
{{- end }}
{{- if ne $role "operator" }}
{{- with $.Values.tls.secretName }}
tls: {secret: {secretName: {{ . | quote }}}}
{{- end }}
{{- end }}
{{- if has $role (list "ingest" "serve") }}
tokens: {secret: {secretName: {{ (get $.Values $role).tokens.secretName | quote }}}}
{{- end }}
{{- if eq $role "connect" }}
connectors: {secret: {secretName: {{ $.Values.connect.secretName | default (printf "%s-connectors" (include "flatline.name" $)) | quote }}}}
{{- end }}
{{- if and $.Values.worker.policy (has $role (list "worker" "serve")) }}
policy: {configMap: {name: {{ include "flatline.name" $ }}-policy}}
{{- end }}
{{- if and (eq $role "serve") $.Values.serve.persistence.enabled }}
data: {persistentVolumeClaim: {claimName: {{ include "flatline.name" $ }}-serve}}
{{- else }}
data: {emptyDir: {}}
{{- end }}
{{- end }}

{{/* The pod of a role: (list $ "worker" (list "worker")), the last of which is the command. */}}
{{- define "flatline.pod" -}}
{{- $ := index . 0 -}}
{{- $role := index . 1 -}}
{{- $sources := include "flatline.sources" . | fromYaml -}}
serviceAccountName: {{ if eq $role "operator" }}default{{ else }}{{ include "flatline.name" $ }}-{{ $role }}{{ end }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with $.Values.imagePullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: {type: RuntimeDefault}
{{- with $.Values.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with $.Values.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- if and $.Values.topologySpread.enabled (ne $role "operator") }}
topologySpreadConstraints:
{{- range $key := list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - topologyKey: {{ $key }}
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{ include "flatline.selector" (list $ $role) | nindent 8 }}
{{- end }}
{{- end }}
containers:
  - name: {{ $role }}
    image: {{ include "flatline.image" $ | quote }}
    imagePullPolicy: {{ $.Values.image.pullPolicy }}
    args: {{ index . 2 | toJson }}
    env: {{ include "flatline.environment" . | nindent 6 }}
    securityContext:
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      capabilities: {drop: [ALL]}
{{- if ne $role "operator" }}
    ports:
      - {name: http, containerPort: {{ include "flatline.port" $role }}}
{{- $probe := dict "port" "http" "scheme" (ternary "HTTPS" "HTTP" (not (empty $.Values.tls.secretName))) }}
    # Long enough to wait for Kafka at the start.
    startupProbe:
      httpGet: {{ merge (dict "path" "/livez") $probe | toJson }}
      periodSeconds: 5
      failureThreshold: 60
    # A worker is not live when there has been work for a minute and none of it was done.
    livenessProbe:
      httpGet: {{ merge (dict "path" "/livez") $probe | toJson }}
      periodSeconds: 15
      timeoutSeconds: 5
      failureThreshold: 4
    # A worker is ready when it has the state of its partitions, the ingest when it reaches Kafka, serve when it has read
    # all topics.
    readinessProbe:
      httpGet: {{ merge (dict "path" "/readyz") $probe | toJson }}
      periodSeconds: 10
      timeoutSeconds: 5
    resources: {{ toYaml (get $.Values $role).resources | nindent 6 }}
{{- end }}
    volumeMounts:
{{- range $name, $_ := $sources }}
{{- if eq $name "tmp" }}
      - {name: tmp, mountPath: /tmp}
{{- else if eq $name "data" }}
      - {name: data, mountPath: /var/lib/flatline}
{{- else }}
      - {name: {{ $name }}, mountPath: /etc/flatline/{{ $name }}, readOnly: true}
{{- end }}
{{- end }}
volumes:
{{- range $name, $source := $sources }}
  - {{ merge (dict "name" $name) $source | toJson }}
{{- end }}
{{- end }}
