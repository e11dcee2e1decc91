// Checkpoints; see the header. They are the files checkpoint-1, checkpoint-2, … in the folder of
// results, of which the last two are kept: identity of the run, position in the program, lengths of
// recordings, arrays, structures, and behind all a checksum.
#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#if defined(__linux__)
#include <csignal>
#include <sys/prctl.h>
#endif

#include "brianlib/engine_checkpoint.h"
#include "brianlib/engine_state.h"

namespace brian { extern std::string results_dir; }

namespace engine {
static const char MAGIC[] = "biomod checkpoint 1\n";
static const std::string NAME = "checkpoint-";
static const int KEPT = 2;

// Where a program is: in which call of run(), begun at which time, at what time now.
struct Position {
    uint64_t run = 0;
    double start = 0, now = 0;
};
struct Header {
    uint64_t identity = 0;
    Position position;
};

static Position here;
static Header saved;               // of the checkpoint to resume from
static std::string taken_up;       // its path; empty if there is none, or when it has been read
static uint64_t number = 1;        // of the next checkpoint
static double every = 0, next = 0; // s; 0 for no checkpoints
static bool resume = false;
static uint64_t identity = 0;
static std::vector<std::string> arguments;
static std::vector<std::pair<std::string, void (*)()>> prepared;

static void write_count(std::ostream& out, uint64_t n) {
    out.write(reinterpret_cast<const char*>(&n), sizeof n);
}

static uint64_t read_count(std::istream& in) {
    uint64_t n = 0;
    in.read(reinterpret_cast<char*>(&n), sizeof n);
    if (!in) fail("the checkpoint ends too early");
    return n;
}

static void check_count(const std::string& name, uint64_t found, uint64_t expected) {
    if (found != expected)
        fail("the checkpoint has " + std::to_string(found) + " values of " + name + ", not " +
             std::to_string(expected));
}

static void write_values(std::ostream& out, const void* values, uint64_t n, size_t width) {
    write_count(out, n);
    out.write(static_cast<const char*>(values), n * width);
}

template <class T> static void read_values(std::istream& in, std::vector<T>& values) {
    values.resize(read_count(in));
    in.read(reinterpret_cast<char*>(values.data()), values.size() * sizeof(T));
}

// ------------------------------------------------------------------ what it holds

// An array of one of four kinds.
struct Kept {
    const char* name;
    void** array;  // whose pointer is set when the program starts, of `size` values
    size_t width;
    uint64_t size;
    void* bytes;  // a value, `width` bytes long
    Vector vector;
    Table table;

    void save(std::ostream& out) const {
        if (array) return write_values(out, *array, *array ? size : 0, width);
        if (bytes) return write_values(out, bytes, 1, width);
        if (vector.of) return save_vector(out);
        write_count(out, table.columns());
        write_count(out, table.rows());
        for (size_t row = 0; row < table.rows(); row++)
            write_values(out, table.row(row), table.columns(), table.width);
    }
    void load(std::istream& in) const {
        if (array) return load_values(in, *array, *array ? size : 0);
        if (bytes) return load_values(in, bytes, 1);
        if (vector.of) return load_vector(in);
        const uint64_t columns = read_count(in), rows = read_count(in);
        table.resize(rows, columns);
        for (uint64_t row = 0; row < rows; row++) {
            check_count(name, read_count(in), columns);
            in.read(static_cast<char*>(table.row(row)), columns * table.width);
        }
    }

  private:
    void load_values(std::istream& in, void* values, uint64_t n) const {
        check_count(name, read_count(in), n);
        if (n) in.read(static_cast<char*>(values), n * width);
    }
    void save_vector(std::ostream& out) const {
        const Parkable* on_disk = parkable(vector.of);
        if (!on_disk || on_disk->parked == 0)
            return write_values(out, vector.data(), vector.size(), vector.width);
        write_count(out, on_disk->parked / vector.width);
        copy_parked(*on_disk, out);
    }
    void load_vector(std::istream& in) const {
        vector.resize(read_count(in));
        in.read(static_cast<char*>(vector.data()), vector.bytes());
        replace_parked(vector.of);
    }
};

static std::vector<Kept>& arrays() {
    static std::vector<Kept> all;
    return all;
}

void keep_array(const char* name, void** values, size_t width, uint64_t size) {
    arrays().push_back({name, values, width, size, nullptr, {}, {}});
}
void keep_bytes(const char* name, void* value, size_t bytes) {
    arrays().push_back({name, nullptr, bytes, 1, value, {}, {}});
}
void keep_vector(const char* name, Vector values) { arrays().push_back({name, nullptr, 0, 0, nullptr, values, {}}); }
void keep_table(const char* name, Table values) { arrays().push_back({name, nullptr, 0, 0, nullptr, {}, values}); }

static void write_name(std::ostream& out, const std::string& name) {
    write_values(out, name.data(), name.size(), 1);
}

static void check_name(std::istream& in, const std::string& expected) {
    std::vector<char> name;
    read_values(in, name);
    const std::string found(name.begin(), name.end());
    if (found != expected) fail("the checkpoint has " + found + " where " + expected + " should be");
}

// ------------------------------------------------------------------ checksums

// Every step is a bijection of the state and of the word, so no single changed word goes unnoticed.
static uint64_t mixed(uint64_t state, uint64_t word) {
    state = (state ^ word) * 0x9fb21c651e98df25u;
    return state ^ (state >> 29);
}

static uint64_t mixed(uint64_t state, const void* data, uint64_t bytes) {
    const char* position = static_cast<const char*>(data);
    state = mixed(state, bytes);
    for (; bytes >= 8; bytes -= 8, position += 8) {
        uint64_t word;
        std::memcpy(&word, position, 8);
        state = mixed(state, word);
    }
    uint64_t rest = 0;
    std::memcpy(&rest, position, bytes);
    return mixed(state, rest);
}

static uint64_t mixed_file(uint64_t state, const std::string& path, uint64_t bytes) {
    std::ifstream in(path, std::ios::binary);
    std::vector<char> block(1 << 16);
    while (bytes > 0 && in) {
        in.read(block.data(), std::min<uint64_t>(block.size(), bytes));
        state = mixed(state, block.data(), in.gcount());
        bytes -= in.gcount();
    }
    return mixed(state, bytes);
}

// Names in a folder, in no order.
static std::vector<std::string> names_in(const std::string& folder) {
    std::vector<std::string> found;
    DIR* const entries = opendir(folder.c_str());
    while (const dirent* entry = entries ? readdir(entries) : nullptr) found.push_back(entry->d_name);
    if (entries) closedir(entries);
    return found;
}

static bool is_file(const std::string& path) {
    struct stat about;
    return !stat(path.c_str(), &about) && S_ISREG(about.st_mode);
}

static uint64_t size_of(const std::string& path) {
    struct stat about;
    return stat(path.c_str(), &about) ? 0 : about.st_size;
}

// What makes a run this one: the program, its data, its arguments and the files that they name.
static uint64_t identity_of_run() {
    const std::string self = "/proc/self/exe";
    std::vector<std::string> files{is_file(self) ? self : arguments[0]};
    for (const auto& name : names_in("static_arrays"))
        if (name[0] == '_') files.push_back("static_arrays/" + name);  // others are of some runs only
    std::sort(files.begin() + 1, files.end());
    const char* more = std::getenv("BIOMOD_IDENTITY");
    uint64_t state = more ? mixed(1, more, std::strlen(more)) : mixed(1, "", 0);
    for (size_t k = 1; k < arguments.size(); k++) {
        const std::string& argument = arguments[k];
        if (argument == "--results_dir" && k++) continue;
        state = mixed(state, argument.data(), argument.size());
        const std::string file = argument.substr(argument.find('=') + 1);
        if (is_file(file)) files.push_back(file);
    }
    for (const auto& file : files) state = mixed_file(state, file, size_of(file));
    return state;
}

// ------------------------------------------------------------------ files

static std::string path_of(uint64_t number) { return result(NAME + std::to_string(number)); }

// What follows "checkpoint-" in the names of files: numbers, and "3.tmp" of one that was not finished.
static std::vector<std::string> suffixes() {
    std::vector<std::string> found;
    for (const auto& name : names_in(brian::results_dir))
        if (name.rfind(NAME, 0) == 0) found.push_back(name.substr(NAME.size()));
    return found;
}

// Numbers of the checkpoints there are, newest first.
static std::vector<uint64_t> numbers() {
    std::vector<uint64_t> found;
    for (const auto& suffix : suffixes())
        if (!suffix.empty() && suffix.find_first_not_of("0123456789") == std::string::npos)
            found.push_back(std::stoull(suffix));
    std::sort(found.rbegin(), found.rend());
    return found;
}

static void remove_checkpoints() {
    for (const auto& suffix : suffixes()) std::remove(result(NAME + suffix).c_str());
}

static std::ifstream opened(const std::string& path, Header& header, std::vector<uint64_t>& lengths) {
    std::ifstream in(path, std::ios::binary);
    in.seekg(sizeof MAGIC);
    in.read(reinterpret_cast<char*>(&header), sizeof header);
    read_values(in, lengths);
    return in;
}

// Why a checkpoint cannot be used; empty if it can.
static std::string damage(const std::string& path) {
    const uint64_t size = size_of(path);
    uint64_t checksum = 0;
    if (size < sizeof MAGIC + sizeof(Header) + sizeof checksum) return "is not whole";
    std::ifstream in(path, std::ios::binary);
    char magic[sizeof MAGIC];
    in.read(magic, sizeof magic);
    if (std::memcmp(magic, MAGIC, sizeof magic)) return "is not whole";
    in.seekg(size - sizeof checksum);
    in.read(reinterpret_cast<char*>(&checksum), sizeof checksum);
    if (mixed_file(0, path, size - sizeof checksum) != checksum) return "is not whole";
    Header header;
    std::vector<uint64_t> lengths;
    opened(path, header, lengths);
    if (header.identity != identity)
        fail(path + " is of another program or of other data, and cannot be resumed from");
    for (size_t k = 0; k < lengths.size(); k++)
        if (length_on_disk(recordings()[k]) < lengths[k])
            return "has lost a part of the recording " + recordings()[k].file;
    return "";
}

static void choose() {
    for (const auto candidate : numbers()) {
        const std::string path = path_of(candidate), why = damage(path);
        if (why.empty()) {
            std::vector<uint64_t> lengths;
            opened(path, saved, lengths);
            taken_up = path;
            number = candidate + 1;
            return;
        }
        std::cerr << path << " " << why << "; an earlier one is looked for" << std::endl;
    }
    std::cerr << "no checkpoint to resume from in " << brian::results_dir
              << ": the run starts from its beginning" << std::endl;
}

template <class All> static void save_all(std::ostream& out, const All& all) {
    for (const auto& state : all) {
        write_name(out, state.name);
        state.save(out);
    }
}

template <class All> static void load_all(std::istream& in, const All& all) {
    for (const auto& state : all) {
        check_name(in, state.name);
        state.load(in);
    }
}

static void write_checkpoint() {
    synchronise_recordings();
    const std::string path = path_of(number), partial = path + ".tmp";
    std::ofstream out(partial, std::ios::binary | std::ios::trunc);
    out.write(MAGIC, sizeof MAGIC);
    const Header header{identity, here};
    out.write(reinterpret_cast<const char*>(&header), sizeof header);
    std::vector<uint64_t> lengths;
    for (const auto& recording : recordings()) lengths.push_back(recording.written);
    write_values(out, lengths.data(), lengths.size(), sizeof lengths[0]);
    save_all(out, arrays());
    save_all(out, engine_states());
    out.flush();
    const uint64_t checksum = mixed_file(0, partial, size_of(partial));
    out.write(reinterpret_cast<const char*>(&checksum), sizeof checksum);
    out.close();
    if (!out) fail("cannot write " + partial + "; is the disk full?");
    synchronise(partial);
    if (std::rename(partial.c_str(), path.c_str())) fail("cannot write " + path);
    synchronise(brian::results_dir);
    for (const auto old : numbers())
        if (old + KEPT <= number) std::remove(path_of(old).c_str());
    number++;
}

static void read_checkpoint() {
    std::vector<uint64_t> lengths;
    std::ifstream in = opened(taken_up, saved, lengths);
    load_all(in, arrays());
    for (const auto& part : prepared) part.second();
    load_all(in, engine_states());
    if (!in) fail(taken_up + " ends too early");
    cut_recordings(lengths);
    here = saved.position;
    std::cerr.precision(15);
    std::cerr << "resumed at t = " << here.now << " s from " << taken_up << std::endl;
    taken_up.clear();
}

// ------------------------------------------------------------------ for main() and run()

void before_run(const std::string& part, void (*function)()) {
    const auto same = [&](const auto& other) { return other.first == part; };
    prepared.erase(std::remove_if(prepared.begin(), prepared.end(), same), prepared.end());
    prepared.push_back({part, function});
    function();
}

void after_run(void (*function)()) {
    if (taken_up.empty()) function();
}

bool run_is_over() {
    if (here.run++ == 0 && (every > 0 || resume)) {
        identity = identity_of_run();
        if (resume) choose();
    }
    if (here.run == 1 && taken_up.empty()) {
        remove_checkpoints();
        start_recordings();
    }
    return !taken_up.empty() && here.run < saved.position.run;
}

static void plan_next(double t) {
    if (every > 0) next = (std::floor(t / every + 1e-9) + 1) * every;
}

double start_of_run(double t) {
    here.start = taken_up.empty() ? t : saved.position.start;
    plan_next(here.start);
    return here.start;
}

void resume_here() {
    if (taken_up.empty()) return;
    read_checkpoint();
    plan_next(here.now);
}

void between_steps(double t) {
    spill_recordings();
    if (every <= 0 || t < next * (1 - 1e-12)) return;
    here.now = t;
    plan_next(t);
    write_checkpoint();
}
}  // namespace engine

// ------------------------------------------------------------------ the life of a program

// Two processes must not write to the same folder, and a killed script may have left its program
// running. One that was killed itself may take a moment to end, if it was writing.
static void _engine_lock_results(bool checkpoints) {
    const std::string path = engine::result("checkpoint.lock");
    const int lock = open(path.c_str(), checkpoints ? O_RDWR | O_CREAT : O_RDWR, 0666);
    if (lock < 0 && checkpoints) engine::fail("cannot write " + path);
    if (lock < 0) return;
    for (int tries = 0; flock(lock, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK; tries++) {
        if (tries == 20)
            engine::fail("another run writes to " + brian::results_dir + "; end it, or wait");
        usleep(100000);
    }
}

void _engine_open(int argc, char** argv) {
    engine::arguments.assign(argv, argv + argc);
#if defined(__linux__)
    if (const char* parent = std::getenv("BIOMOD_PARENT")) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != std::atoi(parent)) std::_Exit(1);
    }
#endif
    const char* every = std::getenv("BIOMOD_CHECKPOINT_EVERY");
    const char* resume = std::getenv("BIOMOD_RESUME");
    engine::every = every ? std::atof(every) : 0;
    engine::resume = resume && std::string(resume) == "1";
    _engine_lock_results(engine::every > 0 || engine::resume);
}

void _engine_close(bool whole) {
    if (!engine::taken_up.empty()) engine::fail("the program ended before " + engine::taken_up);
    engine::finish_recordings();
    engine::finish_parked();
    const char* keep = std::getenv("BIOMOD_KEEP_CHECKPOINTS");
    // A run that was stopped early can be taken up.
    if (whole && !(keep && std::string(keep) == "1")) engine::remove_checkpoints();
}
