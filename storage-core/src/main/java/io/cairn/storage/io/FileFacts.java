package io.cairn.storage.io;

/**
 * What is known of a file without opening it.
 *
 * @param fileKey the same for two names exactly if they are the same file
 * @param sizeBytes its length
 * @param allocatedBytes what it occupies on disk, or its length where that is not known
 * @param linkCount how many names it has
 * @param regular whether it is a regular file
 */
public record FileFacts(
    String fileKey, long sizeBytes, long allocatedBytes, int linkCount, boolean regular) {}
