package io.cairn.qcow2;

import io.cairn.storage.ReadableDisk;
import java.io.IOException;
import java.util.Optional;

/** Changes of what the header says about an open image, each of them whole after a crash. */
final class HeaderChanges {
  private final ImageTables tables;
  private final ImageRequests requests;
  private final DiskReader reader;
  private final ImageOpening.Backings backings;

  HeaderChanges(
      ImageTables tables,
      ImageRequests requests,
      DiskReader reader,
      ImageOpening.Backings backings) {
    this.tables = tables;
    this.requests = requests;
    this.reader = reader;
    this.backings = backings;
  }

  /** Gives the image another version of the format. */
  void setVersion(int version) throws IOException {
    requests.writing(
        (metadata, writer) -> {
          metadata.commit();
          new VersionChange(tables, metadata, writer, reader).run(version);
          return this;
        });
  }

  /** Lets programs write refcounts late, or not. */
  void setLazyRefcounts(boolean lazy) throws IOException {
    requests.writing(
        (metadata, writer) -> {
          Qcow2Header header = tables.header();
          if (header.version() < 3 && lazy) {
            throw Qcow2FormatException.unsupported(
                tables.file().path(),
                "lazy refcounts in version 2",
                "Amend the image to version 3");
          }
          long others = header.compatibleFeatures() & ~Qcow2Header.COMPATIBLE_LAZY_REFCOUNTS;
          long bits = others | (lazy ? Qcow2Header.COMPATIBLE_LAZY_REFCOUNTS : 0);
          if (bits != header.compatibleFeatures()) {
            metadata.commit();
            metadata.updateHeader(
                sector -> sector.putLong(Qcow2Header.OFFSET_COMPATIBLE_FEATURES, bits));
          }
          return this;
        });
  }

  /** Adds or replaces a header extension. */
  void writeExtension(HeaderExtension extension) throws IOException {
    requests.writing(
        (metadata, writer) -> {
          HeaderArea.write(tables, metadata, extension);
          return this;
        });
  }

  /** Bases the image on another file, or on none, and opens that in place of the present one. */
  void setBacking(Optional<BackingFile> backing) throws IOException {
    BackingFile.requireValid(tables.file().path(), backing);
    requests.writing(
        (metadata, writer) -> {
          metadata.commit();
          ReadableDisk next = backing.isPresent() ? backings.open(backing.get()) : null;
          try {
            HeaderArea.setBacking(tables, metadata, backing);
          } catch (IOException | RuntimeException e) {
            if (next != null) {
              next.close();
            }
            throw e;
          }
          ReadableDisk previous = reader.backing();
          reader.setBacking(backing.isPresent(), next);
          if (previous != null) {
            previous.close();
          }
          return this;
        });
  }
}
