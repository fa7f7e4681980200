/** Every item of a list that the server gives a page at a time, up to `most`. */
export async function allPages<T>(
  read: (pageToken: string | undefined, limit: number) => Promise<{ items: T[]; nextPageToken?: string | undefined }>,
  pageSize: number,
  most = Number.POSITIVE_INFINITY,
): Promise<T[]> {
  const out: T[] = [];
  let token: string | undefined;
  do {
    const page = await read(token, Math.min(pageSize, most - out.length));
    out.push(...page.items);
    token = page.nextPageToken;
  } while (token !== undefined && token !== '' && out.length < most);
  return out;
}
