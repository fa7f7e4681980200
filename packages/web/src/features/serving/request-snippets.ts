import type { Snippet } from '../../ui/code.tsx';

/** curl, Python and TypeScript for one request, with the body as it stands in the panel. */
export function requestSnippets(url: string, body: string): Snippet[] {
  let compact = body;
  try {
    compact = JSON.stringify(JSON.parse(body));
  } catch {
    // Being typed: shown as it stands.
  }
  const shell = compact.replaceAll("'", `'\\''`);
  return [
    { name: 'curl', code: `curl ${url} \\\n  -H 'content-type: application/json' \\\n  -d '${shell}'` },
    {
      name: 'Python',
      code: `import json\nimport requests\n\nbody = json.loads(r"""\n${body}\n""")\nresponse = requests.post("${url}", json=body)\nresponse.raise_for_status()\nprint(response.json())`,
    },
    {
      name: 'TypeScript',
      code: `const response = await fetch('${url}', {\n  method: 'POST',\n  headers: { 'content-type': 'application/json' },\n  body: JSON.stringify(${body}),\n});\nif (!response.ok) throw new Error(await response.text());\nconsole.log(await response.json());`,
    },
  ];
}
