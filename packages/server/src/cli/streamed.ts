/** For a request whose body is a stream. Node's fetch keeps a copy of it to send again, unless it may neither follow a redirect nor ask anyone for a password. */
export const STREAMED = { duplex: 'half', redirect: 'error', window: null } as const;
