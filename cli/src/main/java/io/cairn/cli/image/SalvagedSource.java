package io.cairn.cli.image;

import io.cairn.qcow2.BlockSource;
import io.cairn.qcow2.BlockStatus;
import io.cairn.storage.io.BlockFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * A source of which everything is read that can be: a sector that cannot is zeros, and a warning
 * says so. Whoever made the source closes it.
 */
final class SalvagedSource implements BlockSource {
  private final BlockSource source;
  private final Console console;
  private final boolean quiet;

  SalvagedSource(BlockSource source, Console console, boolean quiet) {
    this.source = source;
    this.console = console;
    this.quiet = quiet;
  }

  @Override
  public long sizeBytes() {
    return source.sizeBytes();
  }

  @Override
  public void read(long offsetBytes, ByteBuffer dst) throws IOException {
    int from = dst.position();
    int to = dst.limit();
    try {
      source.read(offsetBytes, dst);
    } catch (IOException e) {
      for (int at = from; at < to; at += BlockFile.SECTOR_SIZE_BYTES) {
        int end = Math.min(to, at + BlockFile.SECTOR_SIZE_BYTES);
        readSector(offsetBytes + at - from, dst.limit(end).position(at));
      }
    }
  }

  private void readSector(long offset, ByteBuffer sector) {
    int from = sector.position();
    try {
      source.read(offset, sector);
    } catch (IOException e) {
      warn("error while reading offset ", offset, e);
      sector.position(from);
      sector.put(new byte[sector.remaining()]);
    }
  }

  @Override
  public long zeroBytesAt(long offsetBytes) {
    try {
      return source.zeroBytesAt(offsetBytes);
    } catch (IOException e) {
      // Reading it will tell.
      return 0;
    }
  }

  @Override
  public BlockStatus status(long offsetBytes, long lengthBytes) {
    try {
      return source.status(offsetBytes, lengthBytes);
    } catch (IOException e) {
      warn("error while reading block status at offset ", offsetBytes, e);
      long sector = Math.min(lengthBytes, BlockFile.SECTOR_SIZE_BYTES);
      return new BlockStatus(sector, 0, true, true, false, false, -1, Optional.empty());
    }
  }

  private synchronized void warn(String what, long offset, IOException e) {
    if (!quiet) {
      console.error("warning: " + what + offset + ": " + SystemErrors.text(e));
    }
  }

  @Override
  public void close() {
    // Not this class's to close.
  }
}
