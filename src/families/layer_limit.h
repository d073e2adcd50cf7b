#pragma once

#include <cstdint>

namespace t2v {

/// The most layers that a configuration may have, far above any model. A network constructs its layers before
/// it looks for their weights.
constexpr int64_t kMostLayers = 1000;

}  // namespace t2v
