package io.cairn.cli;

import io.cairn.qcow2.CreateOptions;
import io.cairn.qcow2.OpenOptions;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.HostFileSystem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Random;

/**
 * One disk of the tour. It plays the part of the guest: it writes through the path that the guest
 * is configured with, and reads the disk back through the same path.
 */
final class DemoDisk {
  static final long SIZE_BYTES = 16L << 20;

  private static final int BLOCK_BYTES = 4096;
  private static final int PIECE_BYTES = 1 << 20;

  private final BlockFileSystem files = HostFileSystem.instance();
  private final Path path;

  /** A disk at a path. */
  DemoDisk(Path path) {
    this.path = path;
  }

  Path path() {
    return path;
  }

  /** Makes the image. */
  void create() throws IOException {
    Qcow2Image.create(files, path, CreateOptions.builder(SIZE_BYTES).build());
  }

  /** Writes blocks that the text decides, all over the disk, as an installation or a day's work. */
  void write(String text, int blocks) throws IOException {
    Random random = new Random(text.hashCode());
    byte[] heading = text.getBytes(StandardCharsets.UTF_8);
    try (Qcow2Image image = Qcow2Image.open(files, path, OpenOptions.writable())) {
      for (int i = 0; i < blocks; i++) {
        byte[] block = new byte[BLOCK_BYTES];
        random.nextBytes(block);
        System.arraycopy(heading, 0, block, 0, Math.min(heading.length, block.length));
        long offset = (long) random.nextInt((int) (SIZE_BYTES / BLOCK_BYTES)) * BLOCK_BYTES;
        image.write(offset, ByteBuffer.wrap(block));
      }
      image.flush();
    }
  }

  /** SHA-256 over every byte of the disk as the guest would read it. */
  String contentHash() throws IOException {
    MessageDigest digest = sha256();
    try (Qcow2Image image = Qcow2Image.open(files, path, OpenOptions.readOnly())) {
      ByteBuffer piece = ByteBuffer.allocate(PIECE_BYTES);
      for (long offset = 0; offset < SIZE_BYTES; offset += PIECE_BYTES) {
        piece.clear();
        image.read(offset, piece);
        digest.update(piece.flip());
      }
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JVM has SHA-256", e);
    }
  }
}
