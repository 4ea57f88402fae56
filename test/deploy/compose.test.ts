import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { probeContainerEngine } from '../../src/adapters/redis-embedded/container-engine.ts';
import { settingsOf } from '../../src/adapters/redis-embedded/redis-server.ts';
import { CONFIG_OPTIONS } from '../../src/config-options.ts';
import { composeFile, composeService, repositoryFile } from './compose-file.ts';

const services = Object.entries(composeFile().services);

describe('every service of the compose file', () => {
  it('is one of the four that make the stack', () => {
    expect(Object.keys(composeFile().services).sort()).toEqual([
      'api-key',
      'elasticsearch',
      'redis',
      'worker',
    ]);
  });

  it.each(services)('%s has no fixed name, so the stack can run twice and scale', (_, service) => {
    expect(service.container_name).toBeUndefined();
  });

  it.each(services)('%s publishes ports on 127.0.0.1 alone', (_, { ports = [] }) => {
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
  });

  it.each(services)('%s keeps its data in volumes that are declared', (_, { volumes = [] }) => {
    for (const volume of volumes) {
      expect(Object.keys(composeFile().volumes)).toContain(volume.split(':')[0]);
    }
  });

  it.each(services)('%s waits only for what tells when it is ready', (_, { depends_on = {} }) => {
    for (const [name, { condition }] of Object.entries(depends_on)) {
      const needed = composeService(name);
      if (condition === 'service_healthy') expect(needed.healthcheck?.test?.[0]).toMatch(/^CMD/);
      else expect([condition, needed.restart]).toEqual(['service_completed_successfully', 'no']);
    }
  });
});

describe('redis', () => {
  const redis = composeService('redis');

  it('is Redis 8 with an append-only file synced every second, and refuses writes when full', () => {
    expect(redis.image).toBe('redis:8-alpine');
    expect(redis.command).toEqual([
      'redis-server',
      ...['--appendonly', 'yes', '--appendfsync', 'everysec', '--maxmemory-policy', 'noeviction'],
    ]);
    expect(settingsOf(true)).toEqual(expect.arrayContaining(redis.command?.slice(1) ?? []));
  });

  it('keeps that file when the container goes', () => {
    expect(redis.volumes).toEqual(['redis-data:/data']);
  });

  it('is healthy only when it says PONG, not while it loads', () => {
    expect(redis.healthcheck?.test).toEqual(['CMD-SHELL', 'redis-cli ping | grep -q PONG']);
  });
});

describe('elasticsearch', () => {
  const elasticsearch = composeService('elasticsearch');

  it('is one node with security on, over plain HTTP inside the network', () => {
    expect(elasticsearch.image).toBe('docker.elastic.co/elasticsearch/elasticsearch:9.5.1');
    expect(elasticsearch.environment).toMatchObject({
      'discovery.type': 'single-node',
      'xpack.security.enabled': 'true',
      'xpack.security.http.ssl.enabled': 'false',
      ES_JAVA_OPTS: '-Xms512m -Xmx512m',
    });
  });

  it('locks its memory and is allowed to', () => {
    expect(elasticsearch.environment?.['bootstrap.memory_lock']).toBe('true');
    expect(elasticsearch.ulimits?.['memlock']).toEqual({ soft: -1, hard: -1 });
  });

  it('is healthy when its password works and the cluster is up', () => {
    const [kind, check] = elasticsearch.healthcheck?.test ?? [];
    expect(kind).toBe('CMD-SHELL');
    // $$: the container's shell puts the password in, not Compose.
    expect(check).toMatch(
      /^curl .*--fail .*--user "elastic:\$\$ELASTIC_PASSWORD" "http:\/\/localhost:9200\//,
    );
    expect(check).toContain('wait_for_status=yellow');
  });
});

describe('api-key', () => {
  const apiKey = composeService('api-key');

  it('runs once, when Elasticsearch is healthy, with the password that Elasticsearch has', () => {
    expect(apiKey.depends_on).toEqual({ elasticsearch: { condition: 'service_healthy' } });
    expect(apiKey.restart).toBe('no');
    expect(apiKey.healthcheck?.disable).toBe(true);
    expect(apiKey.environment?.['ELASTIC_PASSWORD']).toBe(
      composeService('elasticsearch').environment?.['ELASTIC_PASSWORD'],
    );
  });

  it('writes the very file that the worker reads, and the worker cannot write it', () => {
    const worker = composeService('worker');
    expect(apiKey.environment?.['API_KEY_FILE']).toBe(worker.environment?.['ELASTICSEARCH_API_KEY_FILE']);
    expect(apiKey.volumes).toEqual(['api-key:/var/lib/sync-error-relay']);
    expect(worker.volumes).toEqual(['api-key:/var/lib/sync-error-relay:ro']);
  });

  it('alone knows the password, beside Elasticsearch', () => {
    const knowing = services.filter(([, { environment = {} }]) => 'ELASTIC_PASSWORD' in environment);
    expect(knowing.map(([name]) => name).sort()).toEqual(['api-key', 'elasticsearch']);
  });

  it('asks for the privilege manage_connector and no other', () => {
    const script = repositoryFile('scripts/create-api-key.ts');
    expect(script.match(/cluster: \[[^\]]*\]/g)).toEqual(["cluster: ['manage_connector']"]);
    expect(script).not.toMatch(/\b(indices|applications|run_as)\b/);
  });
});

describe('worker', () => {
  const worker = composeService('worker');

  it('starts when Redis and Elasticsearch are healthy and the key is there', () => {
    expect(worker.depends_on).toEqual({
      redis: { condition: 'service_healthy' },
      elasticsearch: { condition: 'service_healthy' },
      'api-key': { condition: 'service_completed_successfully' },
    });
  });

  it('is built here and told by variables that it knows', () => {
    expect(worker.build).toBe('.');
    const known = Object.keys(CONFIG_OPTIONS);
    for (const variable of Object.keys(worker.environment ?? {})) {
      expect(known).toContain(variable.replace(/_FILE$/, ''));
    }
    expect(worker.environment).toMatchObject({
      REDIS_URL: 'redis://redis:6379',
      ELASTICSEARCH_URL: 'http://elasticsearch:9200',
      HTTP_HOST: '0.0.0.0',
    });
  });

  it('can be scaled: every copy gets a free port of the host', () => {
    expect(worker.ports).toEqual([`127.0.0.1::${worker.environment?.['HTTP_PORT']}`]);
  });

  it('is given longer to stop than a request and the drain may take', () => {
    const graceMs = Number(/^(\d+)s$/.exec(worker.stop_grace_period ?? '')?.[1]) * 1_000;
    const { ELASTICSEARCH_TIMEOUT_MS, SHUTDOWN_GRACE_MS } = CONFIG_OPTIONS;
    expect(graceMs).toBeGreaterThan(
      Number(ELASTICSEARCH_TIMEOUT_MS.fallback) + Number(SHUTDOWN_GRACE_MS.fallback),
    );
  });

  it.each(['worker', 'api-key'])('%s can do no more than it needs', (name) => {
    expect(composeService(name)).toMatchObject({
      init: true,
      read_only: true,
      tmpfs: ['/tmp'],
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
    });
    expect(composeService(name).user).toBeUndefined();
  });
});

describe('.env.example', () => {
  it('names every variable of the compose file with its default, and no other', () => {
    const used = [...repositoryFile('docker-compose.yml').matchAll(/\$\{(\w+):-([^}]*)\}/g)].map(
      ([, name, value]) => `${name}=${value}`,
    );
    const offered = repositoryFile('.env.example')
      .split('\n')
      .filter((line) => /^\w+=/.test(line));
    expect(offered.toSorted()).toEqual([...new Set(used)].toSorted());
  });

  it('has the password that docs/local-stack.md goes in with', () => {
    const used = repositoryFile('docs/local-stack.md').match(/--user elastic:\S+/g);
    const [, password] = /^ELASTIC_PASSWORD=(.*)$/m.exec(repositoryFile('.env.example')) ?? [];
    expect(new Set(used)).toEqual(new Set([`--user elastic:${password}`]));
  });

  it('leaves no variable of the compose file without a default', () => {
    // A doubled dollar is for the shell in the container.
    const bare = repositoryFile('docker-compose.yml').match(/(?<!\$)\$(?:\{\w+\}|\w+)/g);
    expect(bare).toBeNull();
  });
});

describe('Docker Compose itself', () => {
  it('accepts the file', async ({ skip }) => {
    const compose = spawnSync('docker', ['compose', 'version'], { encoding: 'utf8' });
    const engine = await probeContainerEngine(process.env);
    if (compose.status !== 0 || engine.kind === 'absent') {
      const reason = engine.kind === 'absent' ? engine.reason : 'there is no docker compose command';
      process.stderr.write(`tests: docker-compose.yml is checked by its structure alone: ${reason}\n`);
      skip(reason);
    }
    const config = spawnSync('docker', ['compose', '--env-file', '.env.example', 'config', '--quiet'], {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      encoding: 'utf8',
    });
    expect(config.stderr).toBe('');
    expect(config.status).toBe(0);
  });
});
