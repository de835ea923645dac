#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

func naturalLogarithm(_ value: Double) -> Double { log(value) }
