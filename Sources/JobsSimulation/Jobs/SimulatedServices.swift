/// KMS: grants by Name, alive until they are retired or revoked.
struct SimulatedKMS {
    struct Grant {
        let job: Int
        let number: Int
        let createdAt: Int
        var isAlive = true
    }

    var isUp = true
    var grants: [Grant] = []

    /// The same Name gives the same grant while it is alive.
    mutating func create(job: Int, number: Int, step: Int) -> Int {
        if let known = alive(job: job, number: number) { return known }
        grants.append(Grant(job: job, number: number, createdAt: step))
        return grants.count - 1
    }

    func alive(job: Int, number: Int) -> Int? {
        grants.firstIndex { $0.job == job && $0.number == number && $0.isAlive }
    }

    func alive(job: Int) -> [Int] {
        grants.indices.filter { grants[$0].job == job && grants[$0].isAlive }
    }
}

/// The object store: a name is written once.
struct SimulatedStore {
    private(set) var objects: [ObjectKey: SimulatedContent] = [:]
    let writesOver: Bool

    /// Whether the object is there now as it was given.
    mutating func put(_ key: ObjectKey, _ content: SimulatedContent) -> Bool {
        if let there = objects[key], !writesOver { return there == content }
        objects[key] = content
        return true
    }

    mutating func remove(_ key: ObjectKey) {
        objects[key] = nil
    }
}

/// What a chunk was made from, and by which attempt of sealing: two sealings of one piece differ.
struct SimulatedContent: Hashable {
    let job: Int
    let ordinal: Int
    let position: Int
    let sealing: Int
}
