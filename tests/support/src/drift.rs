//! How fast levels drift, the slow way.

/// A piece of evidence: its day, adjusted score and precision.
pub type Piece = (f64, f64, f64);

/// Variance that levels gain per day: squared differences of each student's pieces, in order of
/// time, on the noise and the days between.
pub fn slow_drift<'a>(students: impl IntoIterator<Item = &'a Vec<Piece>>) -> f64 {
    let mut m = [[0.0; 2]; 2];
    let mut v = [0.0; 2];
    for pieces in students {
        for i in 0..pieces.len() {
            for j in i + 1..pieces.len().min(i + 6) {
                let (one, other) = (pieces[i], pieces[j]);
                let noise = 1.0 / one.2 + 1.0 / other.2;
                // Hours are no days.
                let days = other.0 - one.0;
                let x = [noise, if days < 1.0 { 0.0 } else { days }];
                let y = (other.1 - one.1).powi(2);
                for a in 0..2 {
                    v[a] += x[a] * y / (noise * noise);
                    for b in 0..2 {
                        m[a][b] += x[a] * x[b] / (noise * noise);
                    }
                }
            }
        }
    }
    let determinant = m[0][0] * m[1][1] - m[0][1] * m[1][0];
    if determinant <= 1e-12 * m[0][0] * m[1][1] {
        return 0.0;
    }
    ((m[0][0] * v[1] - m[1][0] * v[0]) / determinant).max(0.0)
}
