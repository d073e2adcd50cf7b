#pragma once

#include "files/hub/cache.h"
#include "files/hub/environment.h"
#include "files/hub/manifest.h"
#include "t2v/hub.h"

namespace t2v {

/// Where a model of the cache is: its snapshot; of one that is some files of a repository, the file or the
/// folder of the first. Nothing if it is not here.
std::optional<std::filesystem::path> find_in_cache(const HubCache& cache, const KnownModel& model);

/// As plan_pull, likewise.
PullPlan plan_pull(const HubEnvironment& environment, const KnownModel& model, const PullRequest& request,
                   const RunControl& control);

/// As pull_model, for a model whose name is understood; `request.include` and `request.variant` hold.
PullResult pull(const HubEnvironment& environment, const KnownModel& model, const PullRequest& request,
                const RunControl& control);

}  // namespace t2v
