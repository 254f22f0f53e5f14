/**
 * Stands where QEMU is started and takes the engine's port for itself: a TLS 1.2 and 1.3 server with a certificate and
 * without the engine's key. It writes down how many connections it got and how many bytes of ours came through TLS.
 *
 * Usage: engine-impostor.ts RECORD_FILE QEMU_ARGUMENTS…; it takes the port from `hostfwd=`, writes `-pidfile`, and
 * answers on the `-qmp` socket that all is well.
 * What it cannot show: an attacker who also holds the key.
 */
import { writeFileSync } from 'node:fs';
import { createServer as createUnixServer } from 'node:net';
import { createServer } from 'node:tls';
import { generate } from 'selfsigned';

const [record = '', ...qemu] = process.argv.slice(2);
const forward = /hostfwd=tcp:([\d.]+):(\d+)-/.exec(qemu.join(' '));
const pidFile = qemu[qemu.indexOf('-pidfile') + 1];
if (qemu.includes('--version')) {
  console.log('QEMU emulator version 7.2.0');
  process.exit(0);
}
// A tried start is no engine: end as a hypervisor that cannot do it.
if (!forward) process.exit(1);

const received = { connections: 0, applicationBytes: 0 };
const note = () => writeFileSync(record, JSON.stringify(received));
const certificate = await generate([{ name: 'commonName', value: 'engine' }]);
const server = createServer({ key: certificate.private, cert: certificate.cert, minVersion: 'TLSv1.2' }, (socket) => {
  socket.on('data', (chunk) => {
    received.applicationBytes += chunk.length;
    note();
  });
  socket.on('error', () => undefined);
});
server.on('connection', () => {
  received.connections += 1;
  note();
});
server.listen(Number(forward[2]), forward[1]);
if (pidFile) writeFileSync(pidFile, `${process.pid}\n`);
const monitor = /unix:(.+),server=on/.exec(qemu[qemu.indexOf('-qmp') + 1] ?? '')?.[1];
if (monitor) {
  const answers = ['{"QMP": {}}', '{"return": {}}', '{"return": {"status": "running"}, "id": "status"}'];
  createUnixServer((socket) => {
    socket.on('error', () => undefined);
    socket.write(`${answers.join('\n')}\n`);
  }).listen(monitor);
}
process.on('SIGTERM', () => process.exit(0));
