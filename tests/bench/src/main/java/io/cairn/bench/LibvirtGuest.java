package io.cairn.bench;

import io.cairn.qcow2.CreateOptions;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.storage.io.HostFileSystem;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The test guest of {@link BenchGuest} as a domain of libvirt, under the QEMU of the distribution,
 * driven by {@code virsh}. Needs root, as libvirt starts QEMU as a user of its own. A libvirtd that
 * does not run is started, and ends by itself when nobody uses it.
 */
final class LibvirtGuest implements AutoCloseable {
  private static final String NAME = "cairn-bench";
  private static final Duration PATIENCE = Duration.ofMinutes(5);

  private final Path directory;

  private LibvirtGuest(Path directory) {
    this.directory = directory;
  }

  /** Why libvirt cannot be measured here; empty if it can. */
  static Optional<String> missing() throws IOException, InterruptedException {
    if (!Files.isExecutable(Path.of("/usr/bin/virsh"))) {
      return Optional.of("virsh is not installed");
    }
    if (reached()) {
      return Optional.empty();
    }
    if (!Files.isExecutable(Path.of("/usr/sbin/libvirtd"))) {
      return Optional.of("libvirtd is not installed");
    }
    run(List.of("/usr/sbin/virtlogd", "-d", "--timeout", "120"));
    run(List.of("/usr/sbin/libvirtd", "-d", "--timeout", "120"));
    for (int i = 0; i < 50; i++) {
      if (reached()) {
        return Optional.empty();
      }
      Thread.sleep(200);
    }
    return Optional.of("libvirtd does not answer");
  }

  private static boolean reached() throws IOException, InterruptedException {
    return run(List.of("virsh", "-c", "qemu:///system", "version")) == 0;
  }

  private static int run(List<String> words) throws IOException, InterruptedException {
    return new ProcessBuilder(words)
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .start()
        .waitFor();
  }

  /** Boots a guest of which half the memory is in use, and waits until it counts. */
  static LibvirtGuest boot(Path directory, int mebibytes) throws IOException, InterruptedException {
    Files.createDirectories(directory);
    for (Path each : List.of(directory.getParent(), directory)) {
      Files.setPosixFilePermissions(each, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
    for (String file : List.of("kernel/vmlinuz", "guest/initrd")) {
      Path from = BenchGuest.CACHE.resolve(file);
      Path to = directory.resolve(from.getFileName());
      Files.copy(from, to, StandardCopyOption.REPLACE_EXISTING);
      Files.setPosixFilePermissions(to, PosixFilePermissions.fromString("rw-r--r--"));
    }
    StringBuilder disks = new StringBuilder();
    for (int i = 0; i < 2; i++) {
      Path image = directory.resolve("disk" + i + ".qcow2");
      Qcow2Image.create(HostFileSystem.instance(), image, CreateOptions.builder(64L << 20).build());
      disks
          .append("<disk type='file' device='disk'><driver name='qemu' type='qcow2'/>")
          .append("<source file='" + image + "'/>")
          .append("<target dev='vd" + (char) ('a' + i) + "' bus='virtio'/></disk>");
    }
    String xml =
        "<domain type='qemu'><name>"
            + NAME
            + "</name><memory unit='MiB'>"
            + mebibytes
            + "</memory><vcpu>1</vcpu><os><type arch='x86_64' machine='q35'>hvm</type><kernel>"
            + directory.resolve("vmlinuz")
            + "</kernel><initrd>"
            + directory.resolve("initrd")
            + "</initrd><cmdline>console=ttyS0 panic=-1 quiet mitigations=off no_timer_check"
            + " cairn.disks=2 cairn.dirty=0 cairn.tick=1000 cairn.pattern="
            + mebibytes / 2
            + "</cmdline></os><cpu mode='maximum'/><devices>"
            + disks
            + "<serial type='file'><source path='"
            + directory.resolve("console")
            + "' append='on'/><target port='0'/></serial><memballoon model='none'/></devices>"
            + "</domain>";
    Path file = Files.writeString(directory.resolve("domain.xml"), xml);
    LibvirtGuest guest = new LibvirtGuest(directory);
    guest.virsh("create", file.toString());
    boolean booted = false;
    try {
      Path console = directory.resolve("console");
      long end = System.nanoTime() + PATIENCE.toNanos();
      while (!Files.readString(console, StandardCharsets.ISO_8859_1).contains("TICK 3 ")) {
        if (System.nanoTime() > end) {
          throw new IllegalStateException("the domain does not boot, see " + directory);
        }
        Thread.sleep(100);
      }
      booted = true;
      return guest;
    } finally {
      if (!booted) {
        guest.close();
      }
    }
  }

  /** Milliseconds of a command on the domain that must succeed. */
  double domain(String command, String... arguments) throws IOException, InterruptedException {
    List<String> words = new ArrayList<>(List.of(command, NAME));
    words.addAll(List.of(arguments));
    return virsh(words.toArray(String[]::new));
  }

  /** Milliseconds of a command that must succeed. */
  double virsh(String... arguments) throws IOException, InterruptedException {
    List<String> words = new ArrayList<>(List.of("virsh", "-c", "qemu:///system"));
    words.addAll(List.of(arguments));
    Path log = directory.resolve("virsh.log");
    long start = System.nanoTime();
    int code =
        new ProcessBuilder(words)
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start()
            .waitFor();
    double millis = (System.nanoTime() - start) / 1e6;
    if (code != 0) {
      throw new IllegalStateException(words + ": " + Files.readString(log));
    }
    return millis;
  }

  Path state() {
    return directory.resolve("state");
  }

  @Override
  public void close() throws IOException {
    try {
      domain("destroy");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
