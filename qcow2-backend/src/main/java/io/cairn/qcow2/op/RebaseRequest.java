package io.cairn.qcow2.op;

import io.cairn.qcow2.BackingFile;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What an image is based on from now on.
 *
 * @param image the image
 * @param backing its new backing file; if there is none, the image stands alone
 * @param unsafe changes the name only: the caller knows that both backing files read alike, or that
 *     the old one is lost
 * @param progress is told how far it is
 */
public record RebaseRequest(
    Path image, Optional<BackingFile> backing, boolean unsafe, Progress progress) {}
