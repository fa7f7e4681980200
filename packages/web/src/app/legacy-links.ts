/**
 * MLflow's interface keeps its pages behind a hash, and its client prints such links. Maps one to our path,
 * or gives undefined for a hash that is none of them.
 */
export function legacyPath(hash: string): string | undefined {
  const [path = '', query = ''] = hash.replace(/^#/, '').split('?', 2);
  const parts = path.split('/').filter((part) => part !== '');
  const [head, id, sub, subId] = parts;
  const safe = (value: string): string => {
    try {
      return encodeURIComponent(decodeURIComponent(value));
    } catch {
      return encodeURIComponent(value);
    }
  };
  if (head === 'experiments') {
    if (id === undefined) return '/experiments';
    if (sub === 'runs' && subId !== undefined) return `/runs/${safe(subId)}${parts[4] === 'artifacts' ? '?tab=artifacts' : ''}`;
    return `/experiments/${safe(id)}`;
  }
  if (head === 'compare-runs') {
    const runs = new URLSearchParams(query).get('runs');
    return runs === null ? '/compare' : `/compare?runs=${encodeURIComponent(runs)}`;
  }
  if (head === 'models') {
    if (id === undefined) return '/models';
    return sub === 'versions' && subId !== undefined ? `/models/${safe(id)}/versions/${safe(subId)}` : `/models/${safe(id)}`;
  }
  return undefined;
}
