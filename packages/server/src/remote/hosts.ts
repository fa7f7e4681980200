import { lookup as dnsLookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { invalid } from '../kernel/index.ts';

/** Link-local addresses: clouds hand out a machine's credentials there. */
const neverByChance = new BlockList();
neverByChance.addSubnet('169.254.0.0', 16, 'ipv4');
neverByChance.addSubnet('fe80::', 10, 'ipv6');
neverByChance.addAddress('fd00:ec2::254', 'ipv6');

const isLinkLocal = (address: string): boolean => {
  const family = isIP(address);
  return family !== 0 && neverByChance.check(address, family === 4 ? 'ipv4' : 'ipv6');
};

/** Where AWS itself answers for Lambda. */
const AWS_LAMBDA = /^lambda(-fips)?\.[a-z0-9-]+\.(amazonaws\.com(\.cn)?|api\.aws)$/;

/**
 * Throws `invalid` (remote_host_refused) for a host that this server may not call: with a list, one that is not on it (`host`, `host:port` or
 * `*.domain`); without one, a link-local address, and for Lambda, whose calls are signed with this server's own credentials, all but AWS.
 */
export function checkHost(url: string, allowed: readonly string[], signed = false): void {
  const { hostname, port, protocol } = new URL(url);
  // Always AWS: a region is one label of its name.
  if (protocol === 'lambda:' && /^[a-z0-9-]*$/i.test(hostname)) return;
  const host = plainHost(hostname);
  if (signed && protocol === 'https:' && AWS_LAMBDA.test(host)) return;
  const matches = (pattern: string): boolean => {
    const at = /^(.*):(\d+)$/.exec(pattern);
    const [name, only] = at === null ? [pattern, undefined] : [at[1] ?? '', at[2]];
    if (only !== undefined && only !== (port || (protocol === 'https:' ? '443' : '80'))) return false;
    const wanted = name.replace(/^\[|\]$/g, '').toLowerCase();
    return wanted.startsWith('*.') ? host.endsWith(wanted.slice(1)) : host === wanted;
  };
  const refuse = (why: string): never => {
    throw invalid('remote_host_refused', `This server may not call ${host}: ${why}.`);
  };
  if (allowed.length > 0) return allowed.some(matches) ? undefined : refuse('it is not among its remote hosts (--remote-host)');
  if (isLinkLocal(host) || host === 'metadata.google.internal') refuse('link-local addresses hold credentials; allow it by --remote-host');
  if (signed || protocol === 'lambda:')
    refuse("it is not AWS, and calls of functions are signed with this server's AWS credentials; allow it by --remote-host");
}

/** As the system will read it: 0xa9fea9fe is an address, too, which a URL says of the schemes that it knows only. */
function plainHost(hostname: string): string {
  const host = URL.parse(`http://${hostname}`)?.hostname ?? hostname;
  return host
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase();
}

/** For connections: a name that leads to a link-local address is not followed. */
export const guardedLookup: LookupFunction = (hostname, options, callback) => {
  dnsLookup(hostname, options, (error, address, family) => {
    const found = Array.isArray(address) ? address.map((entry) => entry.address) : [address];
    if (error === null && found.some(isLinkLocal))
      return callback(Object.assign(new Error(`${hostname} leads to a link-local address`), { code: 'EHOSTUNREACH' }), '', 4);
    callback(error, address as string, family);
  });
};
