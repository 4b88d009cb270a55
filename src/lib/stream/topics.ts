/** The topics under which events of a canary, a check, a gate or a job are told. */
export function canaryTopics(id: string): string[] {
  return ['canaries', `canary/${id}`, 'canary/*'];
}

export function metricTopics(id: string): string[] {
  return ['metrics', `canary/${id}`, 'canary/*'];
}

export function gateTopics(name: string): string[] {
  return ['gates', `gate/${name}`, 'gate/*'];
}

export function jobTopics(id: string): string[] {
  return ['jobs', `job/${id}`, 'job/*'];
}
