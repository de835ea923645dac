import CLinux
import Glibc

extension DirectoryObjectStore {
    /// Links the file to its key. Blocks.
    func publish(_ file: TemporaryFile, as key: ObjectKey) throws {
        let (path, leaf) = key.parts
        for _ in 0..<Folder.attempts {
            do {
                let folder = try root.subfolder(path, creatingWith: options.folderMode)
                try file.link(as: String(leaf), in: folder)
                return try synchronise(folder, at: path)
            } catch let error as ObjectStoreError where error.cause?.errno == ENOENT {
                // The folder was empty and went with its last object, between the making and the linking.
                continue
            } catch let error as ObjectStoreError where error.cause?.errno == ENOTDIR {
                throw ObjectStoreError(.refused, "a folder of the name is a file here", cause: error.cause)
            }
        }
        throw ObjectStoreError(.busy, "the object's folder was removed again and again")
    }

    /// Makes the new name durable, and the names of all folders above it: another writer may have made one of those a
    /// moment ago and not have come to it yet.
    private func synchronise(_ folder: Folder, at path: Substring) throws {
        try folder.descriptor.synchronise()
        var path = String(path)
        while !path.isEmpty {
            path = String(String(path.dropLast()).splitAtLastSlash().folder)
            try root.subfolder(path).descriptor.synchronise()
        }
    }

    /// Blocks. A removal that a loss of power undoes is found and done again by whoever asked for it, so there is no
    /// synchronising here.
    func remove(_ key: ObjectKey) throws {
        let (path, leaf) = key.parts
        do {
            let folder = try root.subfolder(path)
            guard let status = try folder.status(of: String(leaf)), status.st_mode & S_IFMT != S_IFDIR else { return }
            guard status.st_mode & S_IFMT == S_IFREG else {
                throw ObjectStoreError(.refused, "the name is not that of a file")
            }
            guard unlinkat(folder.descriptor.number, String(leaf), 0) == 0 || errno == ENOENT else {
                throw ObjectStoreError.system("unlinkat", errno)
            }
        } catch let error as ObjectStoreError where error.code == .notFound {
            return
        }
        if options.removesEmptyFolders { removeEmptyFolders(upFrom: String(path)) }
    }

    private func removeEmptyFolders(upFrom path: String) {
        var path = path
        while !path.isEmpty {
            let (parent, name) = String(path.dropLast()).splitAtLastSlash()
            guard let folder = try? root.subfolder(parent),
                unlinkat(folder.descriptor.number, String(name), AT_REMOVEDIR) == 0
            else { return }
            path = String(parent)
        }
    }
}
