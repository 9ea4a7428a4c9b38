package io.cairn.qcow2.op;

import io.cairn.qcow2.BackingFile;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * What of an image is changed; what is empty stays.
 *
 * @param image the image
 * @param version 2 or 3
 * @param lazyRefcounts whether refcounts may be written late
 * @param dataFileRaw whether the external data file has to read like the disk
 * @param refcountBits the width of refcounts
 * @param sizeBytes the size of the disk
 * @param backing another name for the backing file; nothing is copied
 * @param force allows what loses settings
 * @param progress is told how far it is
 */
public record AmendRequest(
    Path image,
    OptionalInt version,
    Optional<Boolean> lazyRefcounts,
    Optional<Boolean> dataFileRaw,
    OptionalInt refcountBits,
    OptionalLong sizeBytes,
    Optional<BackingFile> backing,
    boolean force,
    Progress progress) {}
