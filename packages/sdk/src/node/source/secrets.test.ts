import { expect, test } from 'vitest';
import { isSecret, withoutCredentials } from './secrets.ts';

test.each([
  ['https://user:ghp_token@github.com/team/repo.git', 'https://github.com/team/repo.git'],
  ['https://ghp_token@github.com/team/repo.git', 'https://github.com/team/repo.git'],
  ['https://host/repo.git?private_token=abc#x', 'https://host/repo.git'],
  ['ssh://git:pw@host:2222/team/repo.git', 'ssh://git@host:2222/team/repo.git'],
  ['git@github.com:team/repo.git', 'git@github.com:team/repo.git'],
  ['user:pw@host:team/repo.git', 'host:team/repo.git'],
  ['https://us er:p w@host/x', 'https://host/x'],
  ['/srv/git/repo.git', '/srv/git/repo.git'],
  ['../repo', '../repo'],
])('%s is told as %s', (url, told) => {
  expect(withoutCredentials(url)).toBe(told);
});

test.each(['.env', 'a/.env.production', 'prod.env', '.npmrc', 'keys/server.PEM', 'id_rsa', 'id_ed25519.pub', 'aws-credentials.json', 'Secrets.yaml'])(
  '%s may hold secrets',
  (path) => expect(isSecret(path)).toBe(true),
);
test.each(['secrets/db.yaml', 'a/Secrets/b/c.txt', '.ssh/config', 'home/.aws/config', '.docker/config.json', 'ci/.kube/config', '.config/gcloud/x.db'])(
  '%s lies in a folder that may',
  (path) => expect(isSecret(path)).toBe(true),
);
test.each(['train.ts', 'environment.ts', 'keyboard.ts', 'src/env.ts', '.gitignore', 'docker/config.json', '.docker/README.md', 'a.key.d.ts', '.sshx/a'])(
  '%s does not',
  (path) => expect(isSecret(path)).toBe(false),
);
