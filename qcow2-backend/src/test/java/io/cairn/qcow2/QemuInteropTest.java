package io.cairn.qcow2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.ReadableDisk;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.HostFileSystem;
import io.cairn.testkit.QemuTools;
import io.cairn.testkit.Seeds;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The engine against QEMU's tools, in both directions. */
@Tag("interop")
class QemuInteropTest {
  private static final BlockFileSystem HOST = HostFileSystem.instance();

  @TempDir private Path dir;

  private Path image() {
    return dir.resolve("disk.qcow2");
  }

  private static long sizeFor(String options) {
    return options.contains("cluster_size=512") ? 600 * 1024 : 6 << 20;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "cluster_size=512,refcount_bits=16",
        "cluster_size=512,refcount_bits=64",
        "cluster_size=512,compat=0.10",
        "cluster_size=1024,refcount_bits=8",
        "cluster_size=4096,refcount_bits=4",
        "cluster_size=4096,compat=0.10",
        "cluster_size=65536,refcount_bits=2",
        "cluster_size=65536,refcount_bits=32",
        "cluster_size=65536,lazy_refcounts=on",
        "cluster_size=65536,preallocation=metadata",
        "cluster_size=2097152,refcount_bits=16",
        "cluster_size=16384,extended_l2=on",
        "cluster_size=65536,extended_l2=on,compression_type=zstd"
      })
  void qemuImage_usedByBothInTurns_staysRight(String options) throws IOException {
    Random random = Seeds.random("qemuImage_usedByBothInTurns " + options);
    long size = sizeFor(options);
    QemuTools.create(image(), options, size);
    Path raw = dir.resolve("disk.raw");
    boolean snapshots = !options.contains("refcount_bits=2");
    for (int round = 0; round < 3; round++) {
      QemuTools.io(image(), "qcow2", qemuWrites(random, size));
      if (snapshots) {
        QemuTools.img("snapshot", "-c", "qemu" + round, image().toString()).expect(0);
        QemuTools.io(image(), "qcow2", qemuWrites(random, size));
      }
      assertReadsLikeQemu();
      try (Qcow2Image image = Qcow2Image.open(HOST, image(), OpenOptions.writable())) {
        writeSome(image, random);
        if (snapshots) {
          image.change(List.of(new SnapshotChange.Create("cairn" + round, ImageUser.NOW)));
          writeSome(image, random);
          if (round == 1) {
            image.change(
                List.of(
                    new SnapshotChange.Create("mixed", ImageUser.NOW),
                    new SnapshotChange.Apply("1"),
                    new SnapshotChange.Delete("2")));
            writeSome(image, random);
          }
        }
        image.flush();
        readAll(image, raw);
      }
      QemuTools.assertClean(image());
      QemuTools.assertSame(image(), raw);
      assertReadsLikeQemu();
    }
    if (snapshots) {
      QemuTools.img("snapshot", "-a", "cairn1", image().toString()).expect(0);
      QemuTools.assertClean(image());
      assertReadsLikeQemu();
      for (String name : List.of("qemu1", "cairn2", "cairn1")) {
        QemuTools.img("snapshot", "-d", name, image().toString()).expect(0);
      }
      QemuTools.assertClean(image());
      assertReadsLikeQemu();
    }
  }

  private static List<String> qemuWrites(Random random, long size) {
    List<String> commands = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      long offset = random.nextInt((int) (size / 512)) * 512L;
      long length = Math.min(size - offset, (1 + random.nextInt(160)) * 512L);
      String what = random.nextInt(4) == 0 ? "write -z" : "write -P " + (1 + random.nextInt(255));
      commands.add(what + " " + offset + " " + length);
    }
    return commands;
  }

  private static void writeSome(Qcow2Image image, Random random) throws IOException {
    for (int i = 0; i < 6; i++) {
      long offset = random.nextInt((int) image.sizeBytes());
      int length = (int) Math.min(image.sizeBytes() - offset, 1 + random.nextInt(90000));
      if (random.nextInt(4) == 0) {
        image.writeZeroes(offset, length);
      } else {
        image.write(offset, ByteBuffer.wrap(ImageUser.bytes(random, length)));
      }
    }
  }

  /** Active disk and every snapshot, each as qemu-img converts it. */
  private void assertReadsLikeQemu() throws IOException {
    Path wanted = dir.resolve("wanted.raw");
    Path found = dir.resolve("found.raw");
    QemuTools.convert(image(), "qcow2", wanted);
    try (Qcow2Image image = Qcow2Image.open(HOST, image(), OpenOptions.readOnly())) {
      readAll(image, found);
      assertEquals(-1, Files.mismatch(wanted, found));
      for (SnapshotEntry snapshot : image.snapshots()) {
        Files.delete(wanted);
        QemuTools.img(
                "convert",
                "-U",
                "-l",
                "snapshot.id=" + snapshot.id(),
                "-O",
                "raw",
                image().toString(),
                wanted.toString())
            .expect(0);
        try (ReadableDisk content = image.openSnapshot(snapshot.id())) {
          readAll(content, found);
        }
        assertEquals(-1, Files.mismatch(wanted, found), snapshot::toString);
      }
      assertEquals(
          image.snapshots().stream().map(s -> s.id() + " " + s.name()).toList(),
          QemuTools.snapshots(image()).stream().map(s -> s.id() + " " + s.name()).toList());
    }
  }

  private static void readAll(ReadableDisk disk, Path raw) throws IOException {
    try (FileChannel out =
        FileChannel.open(
            raw,
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            StandardOpenOption.TRUNCATE_EXISTING)) {
      for (long at = 0; at < disk.sizeBytes(); ) {
        ByteBuffer part = ByteBuffer.allocate((int) Math.min(777 * 512, disk.sizeBytes() - at));
        disk.read(at, part);
        at += part.capacity();
        out.write(part.flip());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "cluster_size=512",
        "cluster_size=65536",
        "cluster_size=2M",
        "cluster_size=4096,compression_type=zstd",
        "cluster_size=64k,compression_type=zstd"
      })
  void compressed_byQemu_readAndOverwritten(String options) throws IOException {
    Random random = Seeds.random("compressed_byQemu " + options);
    Path raw = dir.resolve("source.raw");
    byte[] content = new byte[5 << 20];
    for (int i = 0; i < content.length; i++) {
      content[i] = (byte) (i / 3000 + (random.nextInt(50) == 0 ? random.nextInt() : 0));
    }
    Arrays.fill(content, 1 << 20, 2 << 20, (byte) 0);
    Files.write(raw, content);
    QemuTools.img("convert", "-c", "-O", "qcow2", "-o", options, raw.toString(), image().toString())
        .expect(0);
    Path found = dir.resolve("found.raw");
    try (Qcow2Image image = Qcow2Image.open(HOST, image(), OpenOptions.writable())) {
      readAll(image, found);
      assertEquals(-1, Files.mismatch(raw, found));
      image.change(List.of(new SnapshotChange.Create("compressed", ImageUser.NOW)));
      writeSome(image, random);
      image.flush();
      QemuTools.img("check", "-U", image().toString()).expect(0);
      try (ReadableDisk snapshot = image.openSnapshot("1")) {
        readAll(snapshot, found);
        assertEquals(-1, Files.mismatch(raw, found));
      }
      writeSome(image, random);
      image.change(List.of(new SnapshotChange.Apply("1"), new SnapshotChange.Delete("1")));
      writeSome(image, random);
    }
    QemuTools.assertClean(image());
    assertReadsLikeQemu();
  }

  @Test
  void vmState_savedByQemu_survivesOurChanges() throws IOException {
    QemuTools.create(image(), "cluster_size=4096", 4 << 20);
    QemuTools.io(image(), "qcow2", List.of("write -P 1 0 64k", "write -b -P 9 0 300k"));
    QemuTools.img("snapshot", "-c", "with state", image().toString()).expect(0);
    try (Qcow2Image image = Qcow2Image.open(HOST, image(), OpenOptions.writable())) {
      image.write(0, ByteBuffer.wrap(new byte[] {2, 2, 2}));
      image.change(List.of(new SnapshotChange.Create("disk only", ImageUser.NOW)));
      image.change(
          List.of(
              new SnapshotChange.Apply("1"), new SnapshotChange.Create("again", ImageUser.NOW)));
      image.write(8192, ByteBuffer.wrap(new byte[] {3, 3, 3}));
    }
    QemuTools.assertClean(image());
    QemuTools.img("snapshot", "-a", "with state", image().toString()).expect(0);
    QemuTools.io(image(), "qcow2", List.of("read -b -P 9 0 300k", "read -P 1 0 64k"));
    QemuTools.assertClean(image());
    try (Qcow2Image image = Qcow2Image.open(HOST, image(), OpenOptions.writable())) {
      image.change(List.of(new SnapshotChange.Create("after", ImageUser.NOW)));
      image.change(List.of(new SnapshotChange.Delete("1")));
    }
    QemuTools.assertClean(image());
  }

  @Test
  void created_withEverything_acceptedByQemu() throws IOException {
    for (int clusterSize : List.of(512, 4096, 65536, 2 << 20)) {
      for (int bits : List.of(1, 2, 4, 8, 16, 32, 64)) {
        Files.deleteIfExists(image());
        Path base = dir.resolve("base.raw");
        Files.write(base, ImageUser.bytes(new Random(bits), 100_000));
        Qcow2Image.create(
            HOST,
            image(),
            CreateOptions.builder(1 << 20)
                .clusterSizeBytes(clusterSize)
                .refcountBits(bits)
                .imageId(new UUID(3, 4))
                .backing(new BackingFile("base.raw", BackingFile.RAW))
                .build());
        QemuTools.assertClean(image());
        try (Qcow2Image image = Qcow2Image.open(HOST, image(), OpenOptions.writable())) {
          image.write(70_000, ByteBuffer.wrap(ImageUser.bytes(new Random(9), 50_000)));
          assertEquals(new UUID(3, 4), image.imageId().orElseThrow());
        }
        QemuTools.assertClean(image());
        assertReadsLikeQemu();
      }
    }
  }

  @Test
  void headerExtensions_afterQemuAndUs_allKept() throws IOException {
    Path base = dir.resolve("base.qcow2");
    QemuTools.create(base, "", 1 << 20);
    QemuTools.img(
            "create", "-q", "-f", "qcow2", "-b", "base.qcow2", "-F", "qcow2", image().toString())
        .expect(0);
    try (Qcow2Image image = Qcow2Image.open(HOST, image(), OpenOptions.writable())) {
      assertFalse(image.imageId().isPresent());
      image.writeImageId(new UUID(5, 6));
      image.writeExtension(new HeaderExtension(0x11223344, new byte[300]));
    }
    String info = QemuTools.img("info", image().toString()).expect(0).out();
    assertTrue(info.contains("backing file: base.qcow2"), info);
    assertTrue(info.contains("backing file format: qcow2"), info);
    QemuTools.assertClean(image());
    QemuTools.img("amend", "-o", "lazy_refcounts=on", image().toString()).expect(0);
    try (Qcow2Image image = Qcow2Image.open(HOST, image(), OpenOptions.writable())) {
      assertEquals(new UUID(5, 6), image.imageId().orElseThrow());
      assertEquals(1, image.header().compatibleFeatures() & 1);
      assertTrue(image.header().extension(0x11223344).isPresent());
    }
  }

  @Test
  void imageOpenInQemu_ourOpen_isLocked() throws Exception {
    QemuTools.create(image(), "", 1 << 20);
    Process qemu =
        new ProcessBuilder(QemuTools.program("qemu-io"), "-f", "qcow2", image().toString())
            .redirectErrorStream(true)
            .start();
    try {
      qemu.getOutputStream().write("read 0 512\n".getBytes(StandardCharsets.UTF_8));
      qemu.getOutputStream().flush();
      assertTrue(qemu.getInputStream().read() >= 0);
      for (OpenOptions options : List.of(OpenOptions.writable(), OpenOptions.readOnly())) {
        StorageException e =
            assertThrows(
                StorageException.class, () -> Qcow2Image.open(HOST, image(), options).close());
        assertEquals(ErrorCode.LOCKED, e.code());
      }
      Qcow2Image.open(HOST, image(), OpenOptions.readOnly().withLocking(false)).close();
    } finally {
      qemu.destroyForcibly().waitFor();
    }
    try (Qcow2Image image = Qcow2Image.open(HOST, image(), OpenOptions.writable())) {
      assertEquals(1, QemuTools.img("check", image().toString()).exitCode(), image::toString);
    }
  }
}
