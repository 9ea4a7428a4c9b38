package io.cairn.qcow2.op;

import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.ByteLocks;
import io.cairn.storage.io.FileFacts;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;

/** Files whose syncs do nothing, for an image that nobody relies on before it is complete. */
final class UnsyncedFileSystem implements BlockFileSystem {
  private final BlockFileSystem fs;

  UnsyncedFileSystem(BlockFileSystem fs) {
    this.fs = fs;
  }

  @Override
  public BlockFile open(Path file, OpenMode mode) throws IOException {
    return new Unsynced(fs.open(file, mode));
  }

  @Override
  public boolean exists(Path file) throws IOException {
    return fs.exists(file);
  }

  @Override
  public FileFacts facts(Path file) throws IOException {
    return fs.facts(file);
  }

  @Override
  public Path realPath(Path file) throws IOException {
    return fs.realPath(file);
  }

  @Override
  public List<Path> list(Path directory) throws IOException {
    return fs.list(directory);
  }

  @Override
  public void link(Path existing, Path link) throws IOException {
    fs.link(existing, link);
  }

  @Override
  public void rename(Path from, Path to) throws IOException {
    fs.rename(from, to);
  }

  @Override
  public void delete(Path file) throws IOException {
    fs.delete(file);
  }

  @Override
  public void syncDirectory(Path directory) throws IOException {
    fs.syncDirectory(directory);
  }

  @Override
  public void copyOwnership(Path from, Path to) throws IOException {
    fs.copyOwnership(from, to);
  }

  @Override
  public boolean writable(Path path) throws IOException {
    return fs.writable(path);
  }

  @Override
  public long usableBytes(Path path) throws IOException {
    return fs.usableBytes(path);
  }

  @Override
  public ByteLocks locks(Path file) throws IOException {
    return fs.locks(file);
  }

  private record Unsynced(BlockFile file) implements BlockFile {
    @Override
    public Path path() {
      return file.path();
    }

    @Override
    public long size() throws IOException {
      return file.size();
    }

    @Override
    public int read(long position, ByteBuffer dst) throws IOException {
      return file.read(position, dst);
    }

    @Override
    public void write(long position, ByteBuffer src) throws IOException {
      file.write(position, src);
    }

    @Override
    public void truncate(long sizeBytes) throws IOException {
      file.truncate(sizeBytes);
    }

    @Override
    public boolean punchHole(long position, long lengthBytes) throws IOException {
      return file.punchHole(position, lengthBytes);
    }

    @Override
    public long nextData(long position) throws IOException {
      return file.nextData(position);
    }

    @Override
    public long nextHole(long position) throws IOException {
      return file.nextHole(position);
    }

    @Override
    public boolean allocate(long position, long lengthBytes) throws IOException {
      return file.allocate(position, lengthBytes);
    }

    /** Later, by whoever wants the file durable. */
    @Override
    public void sync() {}

    @Override
    public void close() throws IOException {
      file.close();
    }
  }
}
