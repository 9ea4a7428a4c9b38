package io.cairn.qcow2.op;

import java.nio.file.Path;
import java.util.Optional;

/**
 * What is committed.
 *
 * @param image the overlay whose content is moved down
 * @param base the file it is moved into; if there is none, the overlay's own backing file. One
 *     further below takes the content of everything above it
 * @param keepTop the overlay is left as it is; otherwise it is emptied, if its own backing file is
 *     the base
 * @param progress is told how far it is
 */
public record CommitRequest(Path image, Optional<Path> base, boolean keepTop, Progress progress) {}
